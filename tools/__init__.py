"""Development and demonstration tools; nothing here is imported by the dialer itself."""
