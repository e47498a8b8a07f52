-- The four profiles for readers: the views of their owner behind a security barrier, with what the caller may see.

create function dlms.make_reader_view(name name, profile text) returns void
language plpgsql
set search_path = pg_catalog
as $$
declare
  each record;
begin
  -- A row that was filled in later than what may be seen is left out.
  execute format(
    $sql$
      create view dlms_views.%1$I with (security_barrier) as
      select v.* from dlms.%1$I v
      where v.known_from <= (select dlms_api.visible_until(%2$L))
        and not exists (
          select from dlms.profile_completions c
          join public.meters m on m.meter_key = c.meter_key
          where c.profile = %2$L and m.id = v.meter_id and c.captured_at = v.captured_at
            and c.known_from > (select dlms_api.visible_until(%2$L))
        )
    $sql$, name, profile
  );
  for each in
    select a.attname, col_description(a.attrelid, a.attnum) as said from pg_attribute a
    where a.attrelid = format('dlms.%I', name)::regclass and a.attnum > 0
  loop
    execute format('comment on column dlms_views.%I.%I is %L', name, each.attname, each.said);
  end loop;
  execute format('comment on view dlms_views.%I is %L', name, obj_description(format('dlms.%I', name)::regclass, 'pg_class'));
end
$$;
comment on function dlms.make_reader_view is 'Makes the view of a profile for readers from the one in dlms.';

select dlms.make_reader_view('instant_profile', 'instant'), dlms.make_reader_view('block_load_profile', 'block_load'),
  dlms.make_reader_view('daily_load_captures', 'daily_load'), dlms.make_reader_view('billing_profile', 'billing');
