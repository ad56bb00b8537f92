-- What an API key reaches. Keys of before reach all that their owner does.
-- The ids of indexes, between spaces; null: all. Ids are never given twice, so one of an index that is gone names nothing.
alter table api_keys add column index_ids text;
alter table api_keys add column right_word text not null default 'manage';
alter table api_keys add column expires_at bigint;
