-- Sessions keep the plans of a function, and those that were made while the table of events was small read all of it for
-- each event of a storm.

alter function dlms.keep_meter_events(jsonb) set enable_seqscan = off;
-- What has to be read whole all the same then looks as costly as if compiling it were worth while.
alter function dlms.keep_meter_events(jsonb) set jit = off;
