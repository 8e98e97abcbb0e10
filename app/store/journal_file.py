"""The tables of the alarm journal's file, with the triggers that keep its lines as they are."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS journal (
    number INTEGER PRIMARY KEY, at INTEGER NOT NULL, alarm_id TEXT NOT NULL, actor TEXT NOT NULL,
    source TEXT NOT NULL, event TEXT NOT NULL, old TEXT NOT NULL, new TEXT NOT NULL,
    why TEXT NOT NULL, priority INTEGER NOT NULL, equipment TEXT NOT NULL, message TEXT NOT NULL,
    value REAL
) STRICT;
CREATE INDEX IF NOT EXISTS journal_at ON journal (at);
CREATE INDEX IF NOT EXISTS journal_alarm ON journal (alarm_id, number);
CREATE TRIGGER IF NOT EXISTS journal_no_update BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the alarm journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS journal_no_delete BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the alarm journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS journal_no_gap BEFORE INSERT ON journal
WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM journal)
BEGIN SELECT RAISE(ABORT, 'the alarm journal numbers its lines without gaps'); END;
CREATE TABLE IF NOT EXISTS occurrences (
    number INTEGER PRIMARY KEY, alarm_id TEXT NOT NULL, raised_at INTEGER NOT NULL,
    state TEXT NOT NULL, priority INTEGER NOT NULL, equipment TEXT NOT NULL,
    message TEXT NOT NULL, alarm BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS occurrences_raised ON occurrences (raised_at, number);
CREATE TABLE IF NOT EXISTS alarms (
    alarm_id TEXT PRIMARY KEY, occurrence INTEGER NOT NULL, state TEXT NOT NULL,
    record BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS alarms_state ON alarms (state);
"""
