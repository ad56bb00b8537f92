-- How far a feed's documents of before 0009 were read for whom they mention: up to this id. Null when all were.
alter table feeds add column mentions_after text;
update feeds set mentions_after = '';
