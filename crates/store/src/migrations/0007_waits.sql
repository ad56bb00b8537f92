-- Imports, walks and probes that nobody asked for have no points until then.
alter table feeds add column whole_waits_until bigint;
