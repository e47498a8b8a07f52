-- What the columns of the tables and views that analysts read mean, and in which unit: \d+ shows it.

comment on column public.meters.meter_type is 'What it measures, as electricity or gas.';
comment on column public.meters.maker is 'Who made it.';
comment on column public.meters.model is 'Model, as the maker calls it.';
comment on column public.meters.firmware is 'Version of its firmware, as read last.';
comment on column public.meters.created_at is 'When the gateway came to know it.';
comment on column public.meters.updated_at is 'When what is known of it last changed.';

comment on column public.meter_readings.meter_id is 'The meter: id of public.meters.';
comment on column public.meter_readings.source is 'How it came to us: poll, push, on_demand, backfill or import.';
comment on column public.meter_readings.received_at is 'When the gateway got it.';

comment on column public.meter_events.meter_id is 'The meter: id of public.meters.';
comment on column public.meter_events.occurred_at is 'When it happened, by the meter; for what the gateway noticed, by the gateway.';
comment on column public.meter_events.name is 'What happened, in words; null for codes that no table knows.';
comment on column public.meter_events.severity is 'info, warning or alarm.';
comment on column public.meter_events.details is 'What else the event says.';
comment on column public.meter_events.source is 'How it came to us: poll, push, on_demand, backfill or import.';
comment on column public.meter_events.received_at is 'When the gateway got it.';

comment on column dlms.energy_measurements.meter_id is 'The meter: id of public.meters.';
comment on column dlms.energy_measurements.measured_at is 'When the meter held the values.';
comment on column dlms.energy_measurements.active_import_total_wh is 'Active energy, import: register, in Wh.';
comment on column dlms.energy_measurements.active_export_total_wh is 'Active energy, export: register, in Wh.';
comment on column dlms.energy_measurements.reactive_import_total_varh is 'Reactive energy, import: register, in varh.';
comment on column dlms.energy_measurements.reactive_export_total_varh is 'Reactive energy, export: register, in varh.';
comment on column dlms.energy_measurements.apparent_import_total_vah is 'Apparent energy, import: register, in VAh.';
comment on column dlms.energy_measurements.apparent_export_total_vah is 'Apparent energy, export: register, in VAh.';
comment on column dlms.energy_measurements.source is 'How it came to us: poll, push, on_demand, backfill or import.';

comment on column dlms.power_readings.meter_id is 'The meter: id of public.meters.';
comment on column dlms.power_readings.measured_at is 'When the meter held the values.';
comment on column dlms.power_readings.active_power_import_w is 'Active power, import, in W.';
comment on column dlms.power_readings.active_power_export_w is 'Active power, export, in W.';
comment on column dlms.power_readings.active_power_net_w is 'Active power, import less export, in W.';
comment on column dlms.power_readings.reactive_power_import_var is 'Reactive power, import, in var.';
comment on column dlms.power_readings.reactive_power_export_var is 'Reactive power, export, in var.';
comment on column dlms.power_readings.apparent_power_import_va is 'Apparent power, import, in VA.';
comment on column dlms.power_readings.apparent_power_export_va is 'Apparent power, export, in VA.';
comment on column dlms.power_readings.power_factor is 'Power factor, a number from -1 to 1.';
comment on column dlms.power_readings.frequency_hz is 'Frequency of the network, in Hz.';
comment on column dlms.power_readings.source is 'How it came to us: poll, push, on_demand, backfill or import.';

comment on column dlms.voltage_measurements.meter_id is 'The meter: id of public.meters.';
comment on column dlms.voltage_measurements.measured_at is 'When the meter held the values.';
comment on column dlms.voltage_measurements.voltage_l1_v is 'Voltage of phase 1, in V.';
comment on column dlms.voltage_measurements.voltage_l2_v is 'Voltage of phase 2, in V.';
comment on column dlms.voltage_measurements.voltage_l3_v is 'Voltage of phase 3, in V.';
comment on column dlms.voltage_measurements.source is 'How it came to us: poll, push, on_demand, backfill or import.';

comment on column dlms.current_measurements.meter_id is 'The meter: id of public.meters.';
comment on column dlms.current_measurements.measured_at is 'When the meter held the values.';
comment on column dlms.current_measurements.current_l1_a is 'Current of phase 1, in A.';
comment on column dlms.current_measurements.current_l2_a is 'Current of phase 2, in A.';
comment on column dlms.current_measurements.current_l3_a is 'Current of phase 3, in A.';
comment on column dlms.current_measurements.current_n_a is 'Current of the neutral, in A.';
comment on column dlms.current_measurements.source is 'How it came to us: poll, push, on_demand, backfill or import.';

comment on column dlms.event_logs.occurred_at is 'When it happened, by the clock of the gateway.';
comment on column dlms.event_logs.level is 'debug, info, warn or error.';
comment on column dlms.event_logs.event is 'Name of the event, always the same for the same thing.';
comment on column dlms.event_logs.message is 'The event in words.';

comment on column dlms.obis_codes.code is 'Logical name, as 1.0.1.8.0.255.';
comment on column dlms.obis_codes.description is 'What it holds.';
comment on column dlms.obis_codes.unit is 'Unit that most meters give it in; null for none.';

comment on column dlms.push_setups.push_setup_id is 'Refer to a push setup by this.';
comment on column dlms.push_setups.meter_id is 'The meter: id of public.meters.';
comment on column dlms.push_setups.logical_name is 'Logical name of the push setup object in the meter.';
comment on column dlms.push_setups.destination is 'Where it sends to, as host:port.';
comment on column dlms.push_setups.transport is 'How it sends, as tcp or udp.';
comment on column dlms.push_setups.message is 'What it wraps its data in, as the meter says.';
comment on column dlms.push_setups.enabled is 'Whether it is in use.';
comment on column dlms.push_setups.created_at is 'When it was first read.';
comment on column dlms.push_setups.updated_at is 'When it was last read.';

comment on column dlms.push_objects.push_setup_id is 'The push setup.';
comment on column dlms.push_objects.position is 'Place in the list of objects, from 0.';
comment on column dlms.push_objects.class_id is 'Interface class of the object.';
comment on column dlms.push_objects.logical_name is 'Logical name of the object.';
comment on column dlms.push_objects.attribute_index is 'Attribute that is sent; 0 for all.';
comment on column dlms.push_objects.data_index is 'Part of the attribute; 0 for all of it.';

comment on column dlms.push_schedules.push_schedule_id is 'Refer to a schedule by this.';
comment on column dlms.push_schedules.push_setup_id is 'The push setup that it starts.';
comment on column dlms.push_schedules.enabled is 'Whether it is in use.';
comment on column dlms.push_schedules.created_at is 'When it was first read.';
comment on column dlms.push_schedules.updated_at is 'When it was last read.';

comment on column dlms.push_history.push_key is 'Counts pushes.';
comment on column dlms.push_history.received_at is 'When it came.';
comment on column dlms.push_history.peer is 'Address that it came from.';
comment on column dlms.push_history.transport is 'tcp, udp or serial.';
comment on column dlms.push_history.meter_id is 'The meter that sent it; null while nobody knows.';
comment on column dlms.push_history.system_title is 'Eight octets that name the sender in ciphered messages.';
comment on column dlms.push_history.reason is 'Why it was not stored whole.';
comment on column dlms.push_history.octets is 'The push as it came.';

comment on column dlms.push_values.push_key is 'The push: push_key of dlms.push_history.';
comment on column dlms.push_values.received_at is 'When the push came.';
comment on column dlms.push_values.position is 'Place in the push, from 0.';
comment on column dlms.push_values.capture_object is 'class:logical name:attribute, as 3:1.0.1.8.0.255:2.';
comment on column dlms.push_values.unit is 'UCUM unit, null for none.';

comment on column dlms.coverage.meter_id is 'The meter: id of public.meters.';
comment on column dlms.coverage.meter_number is 'Serial number of the meter.';
comment on column dlms.coverage.profile is 'instant, block_load, daily_load or billing.';
comment on column dlms.coverage.day is 'Day in UTC; of daily load and billing the first day of the year.';
comment on column dlms.coverage.interval_s is 'Seconds between two slots; 0 for months.';
comment on column dlms.coverage.held is 'Slots whose rows are there, or were until retention took them.';
comment on column dlms.coverage.meter_off is 'Slots in which the meter was off.';
comment on column dlms.coverage.set_aside is 'Slots whose rows no table can hold.';

comment on column dlms.daily_load_profile.meter_id is 'The meter: id of public.meters.';
comment on column dlms.daily_load_profile.meter_number is 'Serial number of the meter.';

comment on column dlms.daily_load_comparison.meter_id is 'The meter: id of public.meters.';
comment on column dlms.daily_load_comparison.meter_number is 'Serial number of the meter.';

comment on column dlms.daily_load_disagreements.meter_id is 'The meter: id of public.meters.';
comment on column dlms.daily_load_disagreements.meter_number is 'Serial number of the meter.';

comment on column dlms.daily_load_comparison.day is 'Day in the meter''s time zone.';
comment on column dlms.daily_load_comparison.quantity is 'Name of the energy, as active_import.';
comment on column dlms.daily_load_comparison.unit is 'Unit of the amounts.';

comment on column dlms.daily_load_disagreements.quantity is 'Name of the energy, as active_import.';
comment on column dlms.daily_load_disagreements.unit is 'Unit of the spread.';
comment on column dlms.daily_load_disagreements.days is 'Days that disagree.';
comment on column dlms.daily_load_disagreements.first_day is 'The first of them.';
comment on column dlms.daily_load_disagreements.last_day is 'The last of them.';
comment on column dlms.daily_load_disagreements.greatest_spread is 'By how much at most.';

comment on column dlms_views.series.key is 'Key of the series; reads ask by it.';
comment on column dlms_views.series.dataset is 'Dataset that it belongs to.';
comment on column dlms_views.series.meter_number is 'Serial number of the meter; null for what was brought in.';
comment on column dlms_views.series.quantity is 'Column of the profile, or a logical name in hexadecimal digits.';
comment on column dlms_views.series.unit is 'Unit of the values; null for none.';
comment on column dlms_views.series.created_at is 'When the series came to be.';

comment on column dlms_views.runs.dataset is 'Dataset that it is of.';
comment on column dlms_views.runs.label is 'Its name.';
comment on column dlms_views.runs.state is 'draft, frozen, released or superseded.';
comment on column dlms_views.runs.covers_from is 'First slot that it covers.';
comment on column dlms_views.runs.covers_to is 'First slot that it no longer covers.';
comment on column dlms_views.runs.cutoff is 'What became known later is not in it.';
comment on column dlms_views.runs.release_at is 'When it is seen by those who may not read early.';
comment on column dlms_views.runs.series_count is 'Series in it.';
comment on column dlms_views.runs.value_count is 'Values in it.';
comment on column dlms_views.runs.digest is 'SHA-256 over it, in hexadecimal digits.';

comment on column dlms_views.run_values.dataset is 'Dataset of the run.';
comment on column dlms_views.run_values.label is 'Name of the run.';
comment on column dlms_views.run_values.key is 'Key of the series.';
comment on column dlms_views.run_values.at is 'The slot; of an interval its end.';
comment on column dlms_views.run_values.value is 'The number.';
comment on column dlms_views.run_values.value_text is 'What is not a number.';
comment on column dlms_views.run_values.unit is 'Unit of the value; null for none.';
comment on column dlms_views.run_values.quality is 'raw, suspect, validated, estimated, edited or final.';
comment on column dlms_views.run_values.known_from is 'When the database came to know the value.';
