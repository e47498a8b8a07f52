-- Single values and measurements at a moment. They refer to meters and go with them. It costs some 40 µs for each instant
-- snapshot, whose values go into all of these tables; profile tables themselves are written too fast for it.

create table public.meter_readings (
  meter_id uuid not null,
  read_at timestamptz not null,
  capture_object text not null,
  value numeric,
  value_text text,
  unit text,
  source text not null,
  received_at timestamptz not null default now(),
  primary key (meter_id, capture_object, read_at),
  constraint meter_readings_meter foreign key (meter_id) references public.meters (id) on delete cascade
);
comment on table public.meter_readings is 'Single values, by the object that they came from.';
comment on column public.meter_readings.meter_id is 'The meter: id of public.meters.';
comment on column public.meter_readings.read_at is 'When the meter held the value.';
comment on column public.meter_readings.capture_object is 'class:logical name:attribute, as 3:1.0.1.8.0.255:2.';
comment on column public.meter_readings.value is 'The number in plain units, exactly as sent.';
comment on column public.meter_readings.value_text is 'What is not a number: text, octets as 0x…, structures as JSON.';
comment on column public.meter_readings.unit is 'UCUM unit, null for none.';
comment on column public.meter_readings.source is 'How it came to us: poll, push, on_demand, backfill or import.';
comment on column public.meter_readings.received_at is 'When the gateway got it.';

create table dlms.energy_measurements (
  meter_id uuid not null,
  measured_at timestamptz not null,
  active_import_total_wh numeric,
  active_export_total_wh numeric,
  reactive_import_total_varh numeric,
  reactive_export_total_varh numeric,
  apparent_import_total_vah numeric,
  apparent_export_total_vah numeric,
  source text not null,
  primary key (meter_id, measured_at),
  constraint energy_measurements_meter foreign key (meter_id) references public.meters (id) on delete cascade
);
comment on table dlms.energy_measurements is 'Energy registers at a moment.';
comment on column dlms.energy_measurements.meter_id is 'The meter: id of public.meters.';
comment on column dlms.energy_measurements.measured_at is 'When the meter held the values.';
comment on column dlms.energy_measurements.active_import_total_wh is 'Active energy, import: register, in Wh.';
comment on column dlms.energy_measurements.active_export_total_wh is 'Active energy, export: register, in Wh.';
comment on column dlms.energy_measurements.reactive_import_total_varh is 'Reactive energy, import: register, in varh.';
comment on column dlms.energy_measurements.reactive_export_total_varh is 'Reactive energy, export: register, in varh.';
comment on column dlms.energy_measurements.apparent_import_total_vah is 'Apparent energy, import: register, in VAh.';
comment on column dlms.energy_measurements.apparent_export_total_vah is 'Apparent energy, export: register, in VAh.';
comment on column dlms.energy_measurements.source is 'How it came to us: poll, push, on_demand, backfill or import.';

create table dlms.power_readings (
  meter_id uuid not null,
  measured_at timestamptz not null,
  active_power_import_w numeric,
  active_power_export_w numeric,
  active_power_net_w numeric,
  reactive_power_import_var numeric,
  reactive_power_export_var numeric,
  apparent_power_import_va numeric,
  apparent_power_export_va numeric,
  power_factor numeric,
  frequency_hz numeric,
  source text not null,
  primary key (meter_id, measured_at),
  constraint power_readings_meter foreign key (meter_id) references public.meters (id) on delete cascade
);
comment on table dlms.power_readings is 'Power, power factor and frequency at a moment.';
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

create table dlms.voltage_measurements (
  meter_id uuid not null,
  measured_at timestamptz not null,
  voltage_l1_v numeric,
  voltage_l2_v numeric,
  voltage_l3_v numeric,
  source text not null,
  primary key (meter_id, measured_at),
  constraint voltage_measurements_meter foreign key (meter_id) references public.meters (id) on delete cascade
);
comment on table dlms.voltage_measurements is 'Voltages at a moment; a single-phase meter''s is in l1.';
comment on column dlms.voltage_measurements.meter_id is 'The meter: id of public.meters.';
comment on column dlms.voltage_measurements.measured_at is 'When the meter held the values.';
comment on column dlms.voltage_measurements.voltage_l1_v is 'Voltage of phase 1, in V.';
comment on column dlms.voltage_measurements.voltage_l2_v is 'Voltage of phase 2, in V.';
comment on column dlms.voltage_measurements.voltage_l3_v is 'Voltage of phase 3, in V.';
comment on column dlms.voltage_measurements.source is 'How it came to us: poll, push, on_demand, backfill or import.';

create table dlms.current_measurements (
  meter_id uuid not null,
  measured_at timestamptz not null,
  current_l1_a numeric,
  current_l2_a numeric,
  current_l3_a numeric,
  current_n_a numeric,
  source text not null,
  primary key (meter_id, measured_at),
  constraint current_measurements_meter foreign key (meter_id) references public.meters (id) on delete cascade
);
comment on table dlms.current_measurements is 'Currents at a moment; a single-phase meter''s is in l1.';
comment on column dlms.current_measurements.meter_id is 'The meter: id of public.meters.';
comment on column dlms.current_measurements.measured_at is 'When the meter held the values.';
comment on column dlms.current_measurements.current_l1_a is 'Current of phase 1, in A.';
comment on column dlms.current_measurements.current_l2_a is 'Current of phase 2, in A.';
comment on column dlms.current_measurements.current_l3_a is 'Current of phase 3, in A.';
comment on column dlms.current_measurements.current_n_a is 'Current of the neutral, in A.';
comment on column dlms.current_measurements.source is 'How it came to us: poll, push, on_demand, backfill or import.';

insert into dlms.time_tables (table_schema, table_name, time_column, chunk_interval, compress_after, segment_by, order_by,
  compressed_chunk_interval)
values
  ('public', 'meter_readings', 'read_at', '7 days', '7 days', '', 'meter_id, capture_object, read_at', null),
  ('dlms', 'energy_measurements', 'measured_at', '7 days', '7 days', 'meter_id', 'measured_at', '84 days'),
  ('dlms', 'power_readings', 'measured_at', '7 days', '7 days', 'meter_id', 'measured_at', '84 days'),
  ('dlms', 'voltage_measurements', 'measured_at', '7 days', '7 days', 'meter_id', 'measured_at', '84 days'),
  ('dlms', 'current_measurements', 'measured_at', '7 days', '7 days', 'meter_id', 'measured_at', '84 days');

create table dlms.obis_codes (
  code text not null primary key,
  description text not null,
  unit text
);
comment on table dlms.obis_codes is 'What logical names mean.';
comment on column dlms.obis_codes.code is 'Logical name, as 1.0.1.8.0.255.';
comment on column dlms.obis_codes.description is 'What it holds.';
comment on column dlms.obis_codes.unit is 'Unit that most meters give it in; null for none.';
