"""The words: ids, secrets, enums."""
