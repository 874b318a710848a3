-- Wombat ARI, schema for SQLite. Generated from the models by: python3 -m wombat_ari.store.ddl sql
-- The dialer makes and upgrades its tables itself (wombat_ari/store/migrations); this file is for reading.

CREATE TABLE schema_version (
    version INTEGER NOT NULL,
    name VARCHAR(80) NOT NULL,
    applied_at REAL NOT NULL,
    PRIMARY KEY (version)
);

CREATE TABLE asterisk_server (
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
);

CREATE UNIQUE INDEX asterisk_server_by_description ON asterisk_server (description);

CREATE TABLE trunk (
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
);

CREATE INDEX trunk_by_server_id ON trunk (server_id);

CREATE UNIQUE INDEX trunk_by_name ON trunk (name);

CREATE TABLE end_point (
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
    description VARCHAR(255) NOT NULL,
    dial_find VARCHAR(255) NOT NULL,
    dial_replace VARCHAR(255) NOT NULL,
    security_key VARCHAR(80) NOT NULL,
    created_at REAL NOT NULL,
    created_by VARCHAR(80) NOT NULL,
    changed_at REAL NOT NULL,
    changed_by VARCHAR(80) NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT end_point_server_id FOREIGN KEY (server_id) REFERENCES asterisk_server (id)
);

CREATE INDEX end_point_by_server_id ON end_point (server_id);

CREATE UNIQUE INDEX end_point_by_server_id_name ON end_point (server_id, name);

CREATE TABLE call_list (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name VARCHAR(80) NOT NULL,
    hidden INTEGER NOT NULL,
    security_key VARCHAR(80) NOT NULL,
    records INTEGER NOT NULL,
    created_at REAL NOT NULL,
    created_by VARCHAR(80) NOT NULL,
    changed_at REAL NOT NULL,
    changed_by VARCHAR(80) NOT NULL,
    version INTEGER NOT NULL
);

CREATE UNIQUE INDEX call_list_by_name ON call_list (name);

CREATE TABLE record (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    list_id INTEGER NOT NULL,
    number VARCHAR(40) NOT NULL,
    input_attributes TEXT NOT NULL,
    output_attributes TEXT NOT NULL,
    wombatid INTEGER NULL,
    not_before REAL NULL,
    CONSTRAINT record_list_id FOREIGN KEY (list_id) REFERENCES call_list (id)
);

CREATE INDEX record_by_list_id_id ON record (list_id, id);

CREATE INDEX record_by_list_id_number ON record (list_id, number);

CREATE TABLE campaign (
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
    logging_attributes VARCHAR(1000) NOT NULL,
    variables VARCHAR(4000) NOT NULL,
    boost REAL NOT NULL,
    starts_paused INTEGER NOT NULL,
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
);

CREATE UNIQUE INDEX campaign_by_name ON campaign (name);

CREATE TABLE campaign_trunk (
    campaign_id INTEGER NOT NULL,
    trunk_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (campaign_id, trunk_id),
    CONSTRAINT campaign_trunk_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaign (id),
    CONSTRAINT campaign_trunk_trunk_id FOREIGN KEY (trunk_id) REFERENCES trunk (id)
);

CREATE INDEX campaign_trunk_by_trunk_id ON campaign_trunk (trunk_id);

CREATE TABLE campaign_end_point (
    campaign_id INTEGER NOT NULL,
    end_point_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (campaign_id, end_point_id),
    CONSTRAINT campaign_end_point_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaign (id),
    CONSTRAINT campaign_end_point_end_point_id FOREIGN KEY (end_point_id) REFERENCES end_point (id)
);

CREATE INDEX campaign_end_point_by_end_point_id ON campaign_end_point (end_point_id);

CREATE TABLE campaign_list (
    campaign_id INTEGER NOT NULL,
    list_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    list_use VARCHAR(16) NOT NULL,
    PRIMARY KEY (campaign_id, list_id),
    CONSTRAINT campaign_list_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaign (id),
    CONSTRAINT campaign_list_list_id FOREIGN KEY (list_id) REFERENCES call_list (id)
);

CREATE INDEX campaign_list_by_list_id ON campaign_list (list_id);

CREATE TABLE reschedule_rule (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    campaign_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    status VARCHAR(16) NOT NULL,
    extended_status VARCHAR(80) NOT NULL,
    max_attempts INTEGER NOT NULL,
    retry_after_s INTEGER NOT NULL,
    mode VARCHAR(16) NOT NULL,
    CONSTRAINT reschedule_rule_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaign (id)
);

CREATE INDEX reschedule_rule_by_campaign_id ON reschedule_rule (campaign_id);

CREATE TABLE user_class (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name VARCHAR(80) NOT NULL,
    description VARCHAR(255) NOT NULL,
    key_list VARCHAR(2000) NOT NULL,
    created_at REAL NOT NULL,
    created_by VARCHAR(80) NOT NULL,
    changed_at REAL NOT NULL,
    changed_by VARCHAR(80) NOT NULL,
    version INTEGER NOT NULL
);

CREATE UNIQUE INDEX user_class_by_name ON user_class (name);

CREATE TABLE user (
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
    time_zone VARCHAR(64) NOT NULL,
    created_at REAL NOT NULL,
    created_by VARCHAR(80) NOT NULL,
    changed_at REAL NOT NULL,
    changed_by VARCHAR(80) NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT user_class_id FOREIGN KEY (class_id) REFERENCES user_class (id)
);

CREATE UNIQUE INDEX user_by_login ON user (login);

CREATE INDEX user_by_class_id ON user (class_id);

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at REAL NOT NULL,
    login VARCHAR(80) NOT NULL,
    action VARCHAR(16) NOT NULL,
    entity VARCHAR(32) NOT NULL,
    entity_id INTEGER NOT NULL,
    old_values TEXT NOT NULL,
    new_values TEXT NOT NULL
);

CREATE INDEX audit_by_entity_entity_id_at ON audit (entity, entity_id, at);

CREATE TABLE system_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at REAL NOT NULL,
    login VARCHAR(80) NOT NULL,
    action VARCHAR(80) NOT NULL,
    object VARCHAR(255) NOT NULL,
    detail TEXT NOT NULL
);

CREATE INDEX system_log_by_at ON system_log (at);

CREATE INDEX system_log_by_login_at ON system_log (login, at);

CREATE INDEX system_log_by_action_at ON system_log (action, at);

CREATE TABLE dialer_lease (
    name VARCHAR(16) NOT NULL,
    node VARCHAR(255) NOT NULL,
    pid INTEGER NOT NULL,
    acquired_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE id_block (
    name VARCHAR(16) NOT NULL,
    next_id INTEGER NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE run (
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
);

CREATE INDEX run_by_campaign_id ON run (campaign_id);

CREATE UNIQUE INDEX run_by_live_campaign_id ON run (live_campaign_id);

CREATE INDEX run_by_started_at ON run (started_at);

CREATE TABLE run_list (
    run_id INTEGER NOT NULL,
    list_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    paused INTEGER NOT NULL,
    high_water INTEGER NOT NULL,
    taken INTEGER NOT NULL,
    PRIMARY KEY (run_id, list_id),
    CONSTRAINT run_list_run_id FOREIGN KEY (run_id) REFERENCES run (id),
    CONSTRAINT run_list_list_id FOREIGN KEY (list_id) REFERENCES call_list (id)
);

CREATE INDEX run_list_by_list_id ON run_list (list_id);

CREATE TABLE attempt (
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
);

CREATE INDEX attempt_by_run_id ON attempt (run_id);

CREATE TABLE open_retry (
    run_id INTEGER NOT NULL,
    record_id INTEGER NOT NULL,
    due_at REAL NOT NULL,
    attempt INTEGER NOT NULL,
    wombatid INTEGER NULL,
    PRIMARY KEY (run_id, record_id)
);

CREATE INDEX open_retry_by_run_id_due_at ON open_retry (run_id, due_at);

CREATE TABLE call_log (
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
);

CREATE INDEX call_log_by_record_id ON call_log (record_id);

CREATE INDEX call_log_by_attempted_at ON call_log (attempted_at);

CREATE INDEX call_log_by_run_id_wombatid ON call_log (run_id, wombatid);

CREATE TABLE opening_hours (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name VARCHAR(80) NOT NULL,
    comment VARCHAR(255) NOT NULL,
    default_open INTEGER NOT NULL,
    hidden INTEGER NOT NULL,
    security_key VARCHAR(80) NOT NULL,
    created_at REAL NOT NULL,
    created_by VARCHAR(80) NOT NULL,
    changed_at REAL NOT NULL,
    changed_by VARCHAR(80) NOT NULL,
    version INTEGER NOT NULL
);

CREATE UNIQUE INDEX opening_hours_by_name ON opening_hours (name);

CREATE TABLE opening_rule (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    opening_hours_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    is_open INTEGER NOT NULL,
    from_date VARCHAR(10) NOT NULL,
    to_date VARCHAR(10) NOT NULL,
    days VARCHAR(7) NOT NULL,
    start_s INTEGER NOT NULL,
    end_s INTEGER NOT NULL,
    comment VARCHAR(80) NOT NULL,
    CONSTRAINT opening_rule_opening_hours_id FOREIGN KEY (opening_hours_id) REFERENCES opening_hours (id)
);

CREATE INDEX opening_rule_by_opening_hours_id ON opening_rule (opening_hours_id);

CREATE TABLE campaign_opening_hours (
    campaign_id INTEGER NOT NULL,
    opening_hours_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (campaign_id, opening_hours_id),
    CONSTRAINT campaign_opening_hours_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaign (id),
    CONSTRAINT campaign_opening_hours_opening_hours_id FOREIGN KEY (opening_hours_id) REFERENCES opening_hours (id)
);

CREATE INDEX campaign_opening_hours_by_opening_hours_id ON campaign_opening_hours (opening_hours_id);

CREATE TABLE disposition_rule (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    campaign_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    status VARCHAR(16) NOT NULL,
    extended_status VARCHAR(80) NOT NULL,
    with_retries INTEGER NOT NULL,
    verb VARCHAR(16) NOT NULL,
    destination VARCHAR(1000) NOT NULL,
    body TEXT NOT NULL,
    delay_s INTEGER NOT NULL,
    attributes VARCHAR(16) NOT NULL,
    extra VARCHAR(2000) NOT NULL,
    CONSTRAINT disposition_rule_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaign (id)
);

CREATE INDEX disposition_rule_by_campaign_id ON disposition_rule (campaign_id);

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    kind VARCHAR(16) NOT NULL,
    state VARCHAR(16) NOT NULL,
    receiver VARCHAR(255) NOT NULL,
    sequence VARCHAR(80) NOT NULL,
    campaign_id INTEGER NULL,
    run_id INTEGER NULL,
    wombatid INTEGER NULL,
    payload TEXT NOT NULL,
    created_at REAL NOT NULL,
    due_at REAL NOT NULL,
    first_due_at REAL NOT NULL,
    tries INTEGER NOT NULL,
    error VARCHAR(255) NOT NULL
);

CREATE INDEX outbox_by_state_receiver_due_at ON outbox (state, receiver, due_at);

CREATE INDEX outbox_by_sequence_id ON outbox (sequence, id);

CREATE TABLE api_token (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    user_id INTEGER NOT NULL,
    name VARCHAR(80) NOT NULL,
    token_hash VARCHAR(64) NOT NULL,
    scopes VARCHAR(255) NOT NULL,
    created_at REAL NOT NULL,
    created_by VARCHAR(80) NOT NULL,
    expires_at REAL NULL,
    revoked_at REAL NULL,
    last_used_at REAL NULL,
    CONSTRAINT api_token_user_id FOREIGN KEY (user_id) REFERENCES user (id)
);

CREATE INDEX api_token_by_user_id ON api_token (user_id);

CREATE UNIQUE INDEX api_token_by_token_hash ON api_token (token_hash);

CREATE TABLE idempotency_key (
    login VARCHAR(80) NOT NULL,
    idempotency_key VARCHAR(200) NOT NULL,
    request_hash VARCHAR(64) NOT NULL,
    status INTEGER NOT NULL,
    answer TEXT NOT NULL,
    created_at REAL NOT NULL,
    PRIMARY KEY (login, idempotency_key)
);

CREATE INDEX idempotency_key_by_created_at ON idempotency_key (created_at);

CREATE TABLE web_session (
    token_hash VARCHAR(64) NOT NULL,
    user_id INTEGER NOT NULL,
    stamp VARCHAR(64) NOT NULL,
    address VARCHAR(64) NOT NULL,
    created_at REAL NOT NULL,
    seen_at REAL NOT NULL,
    PRIMARY KEY (token_hash),
    CONSTRAINT web_session_user_id FOREIGN KEY (user_id) REFERENCES user (id)
);

CREATE INDEX web_session_by_user_id ON web_session (user_id);

CREATE INDEX web_session_by_seen_at ON web_session (seen_at);
