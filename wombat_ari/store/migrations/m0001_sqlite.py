"""The first schema as SQLite had it. Frozen: a change of the schema is a new migration."""

SQL = r"""
CREATE TABLE IF NOT EXISTS schema_version (
    version INTEGER NOT NULL,
    name VARCHAR(80) NOT NULL,
    applied_at REAL NOT NULL,
    PRIMARY KEY (version)
)
;
CREATE TABLE IF NOT EXISTS asterisk_server (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    description VARCHAR(80) NOT NULL,
    address VARCHAR(255) NOT NULL,
    port INTEGER NOT NULL,
    login VARCHAR(80) NOT NULL,
    password TEXT NOT NULL,
    tls INTEGER NOT NULL,
    unit_length_ms INTEGER NOT NULL,
    max_messages_per_unit INTEGER NOT NULL,
    ari_url VARCHAR(255) NOT NULL,
    ari_user VARCHAR(80) NOT NULL,
    ari_password TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    security_key VARCHAR(80) NOT NULL,
    created_at REAL NOT NULL,
    created_by VARCHAR(80) NOT NULL,
    changed_at REAL NOT NULL,
    changed_by VARCHAR(80) NOT NULL,
    version INTEGER NOT NULL
)
;
CREATE UNIQUE INDEX IF NOT EXISTS asterisk_server_by_description ON asterisk_server (description)
;
CREATE TABLE IF NOT EXISTS trunk (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    server_id INTEGER NOT NULL,
    name VARCHAR(80) NOT NULL,
    dial_string VARCHAR(255) NOT NULL,
    capacity INTEGER NOT NULL,
    security_key VARCHAR(80) NOT NULL,
    created_at REAL NOT NULL,
    created_by VARCHAR(80) NOT NULL,
    changed_at REAL NOT NULL,
    changed_by VARCHAR(80) NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT trunk_server_id FOREIGN KEY (server_id) REFERENCES asterisk_server (id)
)
;
CREATE INDEX IF NOT EXISTS trunk_by_server_id ON trunk (server_id)
;
CREATE UNIQUE INDEX IF NOT EXISTS trunk_by_name ON trunk (name)
;
CREATE TABLE IF NOT EXISTS end_point (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    server_id INTEGER NOT NULL,
    type VARCHAR(16) NOT NULL,
    name VARCHAR(80) NOT NULL,
    extension VARCHAR(80) NOT NULL,
    context VARCHAR(80) NOT NULL,
    max_channels INTEGER NOT NULL,
    boost_factor REAL NOT NULL,
    max_waiting INTEGER NOT NULL,
    wrap_up_s INTEGER NOT NULL,
    reverse INTEGER NOT NULL,
    manual_preview INTEGER NOT NULL,
    security_key VARCHAR(80) NOT NULL,
    created_at REAL NOT NULL,
    created_by VARCHAR(80) NOT NULL,
    changed_at REAL NOT NULL,
    changed_by VARCHAR(80) NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT end_point_server_id FOREIGN KEY (server_id) REFERENCES asterisk_server (id)
)
;
CREATE INDEX IF NOT EXISTS end_point_by_server_id ON end_point (server_id)
;
CREATE UNIQUE INDEX IF NOT EXISTS end_point_by_server_id_name ON end_point (server_id, name)
;
CREATE TABLE IF NOT EXISTS call_list (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name VARCHAR(80) NOT NULL,
    hidden INTEGER NOT NULL,
    security_key VARCHAR(80) NOT NULL,
    created_at REAL NOT NULL,
    created_by VARCHAR(80) NOT NULL,
    changed_at REAL NOT NULL,
    changed_by VARCHAR(80) NOT NULL,
    version INTEGER NOT NULL
)
;
CREATE UNIQUE INDEX IF NOT EXISTS call_list_by_name ON call_list (name)
;
CREATE TABLE IF NOT EXISTS record (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    list_id INTEGER NOT NULL,
    number VARCHAR(40) NOT NULL,
    input_attributes TEXT NOT NULL,
    output_attributes TEXT NOT NULL,
    CONSTRAINT record_list_id FOREIGN KEY (list_id) REFERENCES call_list (id)
)
;
CREATE INDEX IF NOT EXISTS record_by_list_id_id ON record (list_id, id)
;
CREATE INDEX IF NOT EXISTS record_by_list_id_number ON record (list_id, number)
;
CREATE TABLE IF NOT EXISTS campaign (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name VARCHAR(80) NOT NULL,
    priority INTEGER NOT NULL,
    status VARCHAR(16) NOT NULL,
    idles_on_termination INTEGER NOT NULL,
    batch_size INTEGER NOT NULL,
    start_s INTEGER NOT NULL,
    end_s INTEGER NOT NULL,
    days VARCHAR(7) NOT NULL,
    zone VARCHAR(64) NOT NULL,
    answer_timeout_ms INTEGER NOT NULL,
    forced_closure_s INTEGER NOT NULL,
    dial_clid VARCHAR(255) NOT NULL,
    agent_clid VARCHAR(255) NOT NULL,
    dial_account VARCHAR(255) NOT NULL,
    dial_presentation VARCHAR(255) NOT NULL,
    logging VARCHAR(16) NOT NULL,
    logging_alias VARCHAR(80) NOT NULL,
    http_notify_url VARCHAR(1000) NOT NULL,
    notify_secret TEXT NOT NULL,
    email_addresses VARCHAR(1000) NOT NULL,
    email_events VARCHAR(16) NOT NULL,
    security_key VARCHAR(80) NOT NULL,
    created_at REAL NOT NULL,
    created_by VARCHAR(80) NOT NULL,
    changed_at REAL NOT NULL,
    changed_by VARCHAR(80) NOT NULL,
    version INTEGER NOT NULL
)
;
CREATE UNIQUE INDEX IF NOT EXISTS campaign_by_name ON campaign (name)
;
CREATE TABLE IF NOT EXISTS campaign_trunk (
    campaign_id INTEGER NOT NULL,
    trunk_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (campaign_id, trunk_id),
    CONSTRAINT campaign_trunk_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaign (id),
    CONSTRAINT campaign_trunk_trunk_id FOREIGN KEY (trunk_id) REFERENCES trunk (id)
)
;
CREATE INDEX IF NOT EXISTS campaign_trunk_by_trunk_id ON campaign_trunk (trunk_id)
;
CREATE TABLE IF NOT EXISTS campaign_end_point (
    campaign_id INTEGER NOT NULL,
    end_point_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (campaign_id, end_point_id),
    CONSTRAINT campaign_end_point_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaign (id),
    CONSTRAINT campaign_end_point_end_point_id FOREIGN KEY (end_point_id) REFERENCES end_point (id)
)
;
CREATE INDEX IF NOT EXISTS campaign_end_point_by_end_point_id ON campaign_end_point (end_point_id)
;
CREATE TABLE IF NOT EXISTS campaign_list (
    campaign_id INTEGER NOT NULL,
    list_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    list_use VARCHAR(16) NOT NULL,
    PRIMARY KEY (campaign_id, list_id),
    CONSTRAINT campaign_list_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaign (id),
    CONSTRAINT campaign_list_list_id FOREIGN KEY (list_id) REFERENCES call_list (id)
)
;
CREATE INDEX IF NOT EXISTS campaign_list_by_list_id ON campaign_list (list_id)
;
CREATE TABLE IF NOT EXISTS reschedule_rule (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    campaign_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    status VARCHAR(16) NOT NULL,
    extended_status VARCHAR(80) NOT NULL,
    max_attempts INTEGER NOT NULL,
    retry_after_s INTEGER NOT NULL,
    mode VARCHAR(16) NOT NULL,
    CONSTRAINT reschedule_rule_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaign (id)
)
;
CREATE INDEX IF NOT EXISTS reschedule_rule_by_campaign_id ON reschedule_rule (campaign_id)
;
CREATE TABLE IF NOT EXISTS user_class (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name VARCHAR(80) NOT NULL,
    description VARCHAR(255) NOT NULL,
    key_list VARCHAR(2000) NOT NULL,
    created_at REAL NOT NULL,
    created_by VARCHAR(80) NOT NULL,
    changed_at REAL NOT NULL,
    changed_by VARCHAR(80) NOT NULL,
    version INTEGER NOT NULL
)
;
CREATE UNIQUE INDEX IF NOT EXISTS user_class_by_name ON user_class (name)
;
CREATE TABLE IF NOT EXISTS user (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    login VARCHAR(80) NOT NULL,
    password_hash VARCHAR(255) NOT NULL,
    real_name VARCHAR(255) NOT NULL,
    enabled INTEGER NOT NULL,
    email VARCHAR(255) NOT NULL,
    master INTEGER NOT NULL,
    class_id INTEGER NULL,
    key_list VARCHAR(2000) NOT NULL,
    logons INTEGER NOT NULL,
    last_logon_at REAL NULL,
    comment VARCHAR(1000) NOT NULL,
    token VARCHAR(255) NOT NULL,
    created_at REAL NOT NULL,
    created_by VARCHAR(80) NOT NULL,
    changed_at REAL NOT NULL,
    changed_by VARCHAR(80) NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT user_class_id FOREIGN KEY (class_id) REFERENCES user_class (id)
)
;
CREATE UNIQUE INDEX IF NOT EXISTS user_by_login ON user (login)
;
CREATE INDEX IF NOT EXISTS user_by_class_id ON user (class_id)
;
CREATE TABLE IF NOT EXISTS audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at REAL NOT NULL,
    login VARCHAR(80) NOT NULL,
    action VARCHAR(16) NOT NULL,
    entity VARCHAR(32) NOT NULL,
    entity_id INTEGER NOT NULL,
    old_values TEXT NOT NULL,
    new_values TEXT NOT NULL
)
;
CREATE INDEX IF NOT EXISTS audit_by_entity_entity_id_at ON audit (entity, entity_id, at)
;
CREATE TABLE IF NOT EXISTS system_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at REAL NOT NULL,
    login VARCHAR(80) NOT NULL,
    action VARCHAR(80) NOT NULL,
    object VARCHAR(255) NOT NULL,
    detail TEXT NOT NULL
)
;
CREATE INDEX IF NOT EXISTS system_log_by_at ON system_log (at)
;
CREATE TABLE IF NOT EXISTS dialer_lease (
    name VARCHAR(16) NOT NULL,
    node VARCHAR(255) NOT NULL,
    pid INTEGER NOT NULL,
    acquired_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    PRIMARY KEY (name)
)
;
CREATE TABLE IF NOT EXISTS id_block (
    name VARCHAR(16) NOT NULL,
    next_id INTEGER NOT NULL,
    PRIMARY KEY (name)
)
;
CREATE TABLE IF NOT EXISTS run (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    campaign_id INTEGER NOT NULL,
    campaign_name VARCHAR(80) NOT NULL,
    name VARCHAR(120) NOT NULL,
    state VARCHAR(16) NOT NULL,
    live_campaign_id INTEGER NULL,
    boost REAL NOT NULL,
    started_at REAL NOT NULL,
    started_by VARCHAR(80) NOT NULL,
    state_at REAL NOT NULL,
    ended_at REAL NULL,
    taken INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    rescheduled INTEGER NOT NULL,
    open_retries INTEGER NOT NULL,
    dropped INTEGER NOT NULL,
    CONSTRAINT run_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaign (id)
)
;
CREATE INDEX IF NOT EXISTS run_by_campaign_id ON run (campaign_id)
;
CREATE UNIQUE INDEX IF NOT EXISTS run_by_live_campaign_id ON run (live_campaign_id)
;
CREATE INDEX IF NOT EXISTS run_by_started_at ON run (started_at)
;
CREATE TABLE IF NOT EXISTS run_list (
    run_id INTEGER NOT NULL,
    list_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    paused INTEGER NOT NULL,
    high_water INTEGER NOT NULL,
    taken INTEGER NOT NULL,
    PRIMARY KEY (run_id, list_id),
    CONSTRAINT run_list_run_id FOREIGN KEY (run_id) REFERENCES run (id),
    CONSTRAINT run_list_list_id FOREIGN KEY (list_id) REFERENCES call_list (id)
)
;
CREATE INDEX IF NOT EXISTS run_list_by_list_id ON run_list (list_id)
;
CREATE TABLE IF NOT EXISTS attempt (
    wombatid INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    record_id INTEGER NOT NULL,
    list_id INTEGER NOT NULL,
    list_name VARCHAR(80) NOT NULL,
    number VARCHAR(40) NOT NULL,
    attempt INTEGER NOT NULL,
    input_attributes TEXT NOT NULL,
    output_attributes TEXT NOT NULL,
    state VARCHAR(16) NOT NULL,
    state_at REAL NOT NULL,
    server_id INTEGER NULL,
    trunk_id INTEGER NULL,
    end_point_id INTEGER NULL,
    requested_at REAL NULL,
    dialling_at REAL NULL,
    connected_at REAL NULL,
    agent VARCHAR(80) NULL,
    agent_interface VARCHAR(255) NULL,
    PRIMARY KEY (wombatid)
)
;
CREATE INDEX IF NOT EXISTS attempt_by_run_id ON attempt (run_id)
;
CREATE TABLE IF NOT EXISTS open_retry (
    run_id INTEGER NOT NULL,
    record_id INTEGER NOT NULL,
    due_at REAL NOT NULL,
    attempt INTEGER NOT NULL,
    PRIMARY KEY (run_id, record_id)
)
;
CREATE INDEX IF NOT EXISTS open_retry_by_run_id_due_at ON open_retry (run_id, due_at)
;
CREATE TABLE IF NOT EXISTS call_log (
    wombatid INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    run_name VARCHAR(120) NOT NULL,
    campaign_id INTEGER NOT NULL,
    campaign_name VARCHAR(80) NOT NULL,
    list_id INTEGER NOT NULL,
    list_name VARCHAR(80) NOT NULL,
    record_id INTEGER NOT NULL,
    number VARCHAR(40) NOT NULL,
    attempt INTEGER NOT NULL,
    outcome VARCHAR(16) NOT NULL,
    extended_status VARCHAR(80) NOT NULL,
    attempted_at REAL NOT NULL,
    ended_at REAL NOT NULL,
    wait_pre_ms INTEGER NOT NULL,
    wait_after_ms INTEGER NOT NULL,
    talk_ms INTEGER NOT NULL,
    retry_in_s INTEGER NOT NULL,
    server_id INTEGER NULL,
    trunk_id INTEGER NULL,
    trunk_name VARCHAR(80) NOT NULL,
    end_point_id INTEGER NULL,
    end_point_name VARCHAR(80) NOT NULL,
    agent VARCHAR(80) NOT NULL,
    channel VARCHAR(80) NOT NULL,
    unique_id VARCHAR(80) NOT NULL,
    cause INTEGER NULL,
    sip_code VARCHAR(80) NOT NULL,
    dial_status VARCHAR(16) NOT NULL,
    message VARCHAR(255) NOT NULL,
    input_attributes TEXT NOT NULL,
    output_attributes TEXT NOT NULL,
    PRIMARY KEY (wombatid)
)
;
CREATE INDEX IF NOT EXISTS call_log_by_record_id ON call_log (record_id)
;
CREATE INDEX IF NOT EXISTS call_log_by_attempted_at ON call_log (attempted_at)
;
CREATE INDEX IF NOT EXISTS call_log_by_run_id_wombatid ON call_log (run_id, wombatid)
"""
