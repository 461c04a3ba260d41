-- @tables
-- Recommendations and their outcomes. priority and impact in hundredths, stake in paisa; status: 0 pending,
-- 1 viewed, 2 dismissed (by the owner, expired or withdrawn), 3 executed; it only increases.
-- facts, based_on, action, modified and outcome_facts are JSON of the events.
CREATE TABLE recommendations (
    business_id   bigint NOT NULL,
    id            bigint NOT NULL,
    type          text,
    subject       text,
    urgency       text,
    priority      bigint,
    impact        bigint,
    stake         bigint,
    stake_basis   text,
    facts         text,
    expires_on    date,
    rule          text,
    based_on      text,
    created_at    timestamptz,
    status        bigint,
    reason        text,
    viewed_at     timestamptz,
    seconds       bigint NOT NULL,
    executed_at   timestamptz,
    action        text,
    modified      text,
    follow_until  date,
    outcome       text,
    outcome_facts text,
    position      bigint
);

-- @indexes
CREATE UNIQUE INDEX IF NOT EXISTS recommendations_key ON recommendations (business_id, id);
CREATE INDEX IF NOT EXISTS recommendations_by_priority ON recommendations (business_id, priority, id);
CREATE INDEX IF NOT EXISTS recommendations_open ON recommendations (business_id, priority, stake) WHERE status < 2;

-- @keys
ALTER TABLE recommendations ADD PRIMARY KEY USING INDEX recommendations_key;
