-- How often each pass of a feed begins. Without a value, as often as its price allows.
alter table feeds add column changes_every_ms bigint not null default 180000;
alter table feeds add column walk_every_ms bigint;
alter table feeds add column probe_every_ms bigint;
