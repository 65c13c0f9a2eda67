-- Until when a person may be written to without a template: 24 hours from their last message, for the number they wrote to.
-- Fed by the intake, in the commit that stores the message. People who write are few beside those who are written to.
create table service_window (
  number_id     bigint not null,
  person_key    uuid not null,
  until         timestamptz not null,
  primary key (number_id, person_key)
) with (fillfactor = 80);
