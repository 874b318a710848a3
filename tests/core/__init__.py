"""The decisions: tables, stories, and what holds in any order of events. Nothing here waits, sleeps or connects."""
