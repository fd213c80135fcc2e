-- Feedback on suggestions is read from its events, the latest of a user first.
create index events_of_suggestions on events (user_id, seq) where type = 'suggestion.feedback.given';
