-- Urgent messages: like confirmations they are recipients of a number's standing campaigns of the month, one for each
-- template's version that is used (and one for plain text), so that each has a key, a slot, a fact, receipts and a price.
create unique index campaign_urgent on campaign
  (numbers, (campaign_id >> 32), coalesce(template_id, 0), coalesce(frozen->'template'->>'version', ''))
  where kind = 3 and state = 5;

-- One that somebody cancelled is followed by another.
drop index campaign_confirmations;
create unique index campaign_confirmations on campaign (numbers, (campaign_id >> 32)) where kind = 4 and state = 5;
