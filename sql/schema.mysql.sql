-- Wombat ARI, schema for MariaDB and MySQL. Generated from the models by: python3 -m wombat_ari.store.ddl sql
-- The dialer makes and upgrades its tables itself (wombat_ari/store/migrations); this file is for reading.

CREATE TABLE schema_version (
    version INTEGER NOT NULL COMMENT 'number of the migration',
    name VARCHAR(80) NOT NULL COMMENT 'its name',
    applied_at DOUBLE NOT NULL COMMENT 'when (epoch seconds, UTC)',
    PRIMARY KEY (version)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='Migrations applied, one row each';

CREATE TABLE asterisk_server (
    id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'identity',
    description VARCHAR(80) NOT NULL COMMENT 'its name, unique',
    address VARCHAR(255) NOT NULL COMMENT 'name or IP address',
    port INTEGER NOT NULL COMMENT 'AMI port',
    login VARCHAR(80) NOT NULL COMMENT 'AMI user',
    password MEDIUMTEXT NOT NULL COMMENT 'AMI secret, encrypted',
    tls TINYINT(1) NOT NULL COMMENT 'AMI over TLS',
    unit_length_ms INTEGER NOT NULL COMMENT 'congestion control: length of a unit',
    max_messages_per_unit INTEGER NOT NULL COMMENT 'congestion control: actions written in a unit at most',
    ari_url VARCHAR(255) NOT NULL COMMENT 'base URL of ARI, empty: no ARI',
    ari_user VARCHAR(80) NOT NULL COMMENT 'ARI user',
    ari_password MEDIUMTEXT NOT NULL COMMENT 'ARI password, encrypted',
    enabled TINYINT(1) NOT NULL COMMENT 'whether the dialer connects to it',
    security_key VARCHAR(80) NOT NULL COMMENT 'key that its viewers must hold, empty: everybody',
    created_at DOUBLE NOT NULL COMMENT 'when it was made (epoch seconds, UTC)',
    created_by VARCHAR(80) NOT NULL COMMENT 'login of who made it',
    changed_at DOUBLE NOT NULL COMMENT 'when it was changed last (epoch seconds, UTC)',
    changed_by VARCHAR(80) NOT NULL COMMENT 'login of who changed it last',
    version INTEGER NOT NULL COMMENT 'grows by one with each change; a save that brings an old one is refused',
    PRIMARY KEY (id),
    UNIQUE KEY asterisk_server_by_description (description)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='One Asterisk PBX: how to reach it and how fast it may be told things';

CREATE TABLE trunk (
    id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'identity',
    server_id BIGINT NOT NULL COMMENT 'the PBX that has it',
    name VARCHAR(80) NOT NULL COMMENT 'unique',
    dial_string VARCHAR(255) NOT NULL COMMENT 'the channel to dial, with ${num} and any ${ATTRIBUTE}',
    capacity INTEGER NOT NULL COMMENT 'parallel calls at most',
    security_key VARCHAR(80) NOT NULL COMMENT 'key that its viewers must hold, empty: everybody',
    created_at DOUBLE NOT NULL COMMENT 'when it was made (epoch seconds, UTC)',
    created_by VARCHAR(80) NOT NULL COMMENT 'login of who made it',
    changed_at DOUBLE NOT NULL COMMENT 'when it was changed last (epoch seconds, UTC)',
    changed_by VARCHAR(80) NOT NULL COMMENT 'login of who changed it last',
    version INTEGER NOT NULL COMMENT 'grows by one with each change; a save that brings an old one is refused',
    PRIMARY KEY (id),
    KEY trunk_by_server_id (server_id),
    UNIQUE KEY trunk_by_name (name),
    CONSTRAINT trunk_server_id FOREIGN KEY (server_id) REFERENCES asterisk_server (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='Lines to dial out on';

CREATE TABLE end_point (
    id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'identity',
    server_id BIGINT NOT NULL COMMENT 'the PBX that has it',
    type VARCHAR(16) NOT NULL COMMENT 'PHONE, QUEUE or FLOW',
    name VARCHAR(80) NOT NULL COMMENT 'unique on its server; of a QUEUE exactly the Asterisk queue',
    extension VARCHAR(80) NOT NULL COMMENT 'extension that an answered call is sent to',
    context VARCHAR(80) NOT NULL COMMENT 'dialplan context of the extension',
    max_channels INTEGER NOT NULL COMMENT 'calls at most at a time',
    boost_factor DOUBLE NOT NULL COMMENT 'QUEUE: calls placed for each available agent',
    max_waiting INTEGER NOT NULL COMMENT 'QUEUE: with more callers waiting nothing is placed',
    wrap_up_s INTEGER NOT NULL COMMENT 'QUEUE: seconds an agent is left alone after a call',
    reverse TINYINT(1) NOT NULL COMMENT 'QUEUE: the agent is called first',
    manual_preview TINYINT(1) NOT NULL COMMENT 'QUEUE, reverse: the agent decides',
    description VARCHAR(255) NOT NULL COMMENT 'free text',
    dial_find VARCHAR(255) NOT NULL COMMENT 'QUEUE, reverse: regular expression looked for in the agent''s interface',
    dial_replace VARCHAR(255) NOT NULL COMMENT 'QUEUE, reverse: what is dialled in place of it',
    security_key VARCHAR(80) NOT NULL COMMENT 'key that its viewers must hold, empty: everybody',
    created_at DOUBLE NOT NULL COMMENT 'when it was made (epoch seconds, UTC)',
    created_by VARCHAR(80) NOT NULL COMMENT 'login of who made it',
    changed_at DOUBLE NOT NULL COMMENT 'when it was changed last (epoch seconds, UTC)',
    changed_by VARCHAR(80) NOT NULL COMMENT 'login of who changed it last',
    version INTEGER NOT NULL COMMENT 'grows by one with each change; a save that brings an old one is refused',
    PRIMARY KEY (id),
    KEY end_point_by_server_id (server_id),
    UNIQUE KEY end_point_by_server_id_name (server_id, name),
    CONSTRAINT end_point_server_id FOREIGN KEY (server_id) REFERENCES asterisk_server (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='Where an answered call goes';

CREATE TABLE call_list (
    id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'identity',
    name VARCHAR(80) NOT NULL COMMENT 'unique',
    hidden TINYINT(1) NOT NULL COMMENT 'not shown unless asked for',
    security_key VARCHAR(80) NOT NULL COMMENT 'key that its viewers must hold, empty: everybody',
    records INTEGER NOT NULL COMMENT 'records on it, kept by who appends them',
    created_at DOUBLE NOT NULL COMMENT 'when it was made (epoch seconds, UTC)',
    created_by VARCHAR(80) NOT NULL COMMENT 'login of who made it',
    changed_at DOUBLE NOT NULL COMMENT 'when it was changed last (epoch seconds, UTC)',
    changed_by VARCHAR(80) NOT NULL COMMENT 'login of who changed it last',
    version INTEGER NOT NULL COMMENT 'grows by one with each change; a save that brings an old one is refused',
    PRIMARY KEY (id),
    UNIQUE KEY call_list_by_name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='A list of numbers, to be dialled or never to be dialled';

CREATE TABLE record (
    id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'identity; records are dialled in its order',
    list_id BIGINT NOT NULL COMMENT 'the list it stands on',
    number VARCHAR(40) NOT NULL COMMENT 'number as dialled, without blanks and punctuation',
    input_attributes MEDIUMTEXT NOT NULL COMMENT 'JSON object of texts: what goes to Asterisk',
    output_attributes MEDIUMTEXT NOT NULL COMMENT 'JSON object of texts: what calls left',
    wombatid BIGINT NULL COMMENT 'WOMBATID promised for its first attempt, until that is made',
    not_before DOUBLE NULL COMMENT 'not dialled before this (epoch seconds, UTC)',
    PRIMARY KEY (id),
    KEY record_by_list_id_id (list_id, id),
    KEY record_by_list_id_number (list_id, number),
    CONSTRAINT record_list_id FOREIGN KEY (list_id) REFERENCES call_list (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='One number of a list with its attributes; edited but never deleted';

CREATE TABLE campaign (
    id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'identity',
    name VARCHAR(80) NOT NULL COMMENT 'unique',
    priority INTEGER NOT NULL COMMENT 'smaller is served first',
    status VARCHAR(16) NOT NULL COMMENT 'RUNNABLE, CLOSED, HIDDEN or ERROR',
    idles_on_termination TINYINT(1) NOT NULL COMMENT 'out of numbers the run waits for more instead of completing',
    batch_size INTEGER NOT NULL COMMENT 'records read into the hopper at a time',
    start_s INTEGER NOT NULL COMMENT 'active period: begin, seconds since midnight',
    end_s INTEGER NOT NULL COMMENT 'active period: last second of it since midnight; before the begin: it spans midnight',
    days VARCHAR(7) NOT NULL COMMENT 'active days, 1 is Sunday, 7 is Saturday',
    zone VARCHAR(64) NOT NULL COMMENT 'IANA time zone of the period, empty: the dialer''s own',
    answer_timeout_ms INTEGER NOT NULL COMMENT 'how long the callee may ring',
    forced_closure_s INTEGER NOT NULL COMMENT 'a call connected longer is hung up, 0: never',
    dial_clid VARCHAR(255) NOT NULL COMMENT 'caller id shown to the callee, with ${ATTRIBUTE}',
    agent_clid VARCHAR(255) NOT NULL COMMENT 'caller id shown to the agent, with ${ATTRIBUTE}',
    dial_account VARCHAR(255) NOT NULL COMMENT 'account code, with ${ATTRIBUTE}',
    dial_presentation VARCHAR(255) NOT NULL COMMENT 'caller id presentation, with ${ATTRIBUTE}',
    logging VARCHAR(16) NOT NULL COMMENT 'NONE or QM_COMPATIBLE (queue_log)',
    logging_alias VARCHAR(80) NOT NULL COMMENT 'queue name in the queue_log, empty: the campaign''s name',
    logging_attributes VARCHAR(1000) NOT NULL COMMENT 'attributes told in the queue_log: names, comma separated',
    variables VARCHAR(4000) NOT NULL COMMENT 'channel variables of each call: NAME:value,NAME:value with ${ATTRIBUTE}',
    boost DOUBLE NOT NULL COMMENT 'factor on the end points'' boost with which a run begins',
    starts_paused TINYINT(1) NOT NULL COMMENT 'a run begins PAUSED',
    http_notify_url VARCHAR(1000) NOT NULL COMMENT 'POSTed after each attempt, empty: nothing is',
    notify_secret MEDIUMTEXT NOT NULL COMMENT 'signs the POST, encrypted',
    email_addresses VARCHAR(1000) NOT NULL COMMENT 'comma separated',
    email_events VARCHAR(16) NOT NULL COMMENT 'NONE, COMPLETION or ALL',
    security_key VARCHAR(80) NOT NULL COMMENT 'key that its viewers must hold, empty: everybody',
    created_at DOUBLE NOT NULL COMMENT 'when it was made (epoch seconds, UTC)',
    created_by VARCHAR(80) NOT NULL COMMENT 'login of who made it',
    changed_at DOUBLE NOT NULL COMMENT 'when it was changed last (epoch seconds, UTC)',
    changed_by VARCHAR(80) NOT NULL COMMENT 'login of who changed it last',
    version INTEGER NOT NULL COMMENT 'grows by one with each change; a save that brings an old one is refused',
    PRIMARY KEY (id),
    UNIQUE KEY campaign_by_name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='The template of a run: what to dial, when, how and what to do after';

CREATE TABLE campaign_trunk (
    campaign_id BIGINT NOT NULL COMMENT 'the campaign',
    trunk_id BIGINT NOT NULL COMMENT 'the trunk',
    position INTEGER NOT NULL COMMENT 'order, from 0',
    PRIMARY KEY (campaign_id, trunk_id),
    KEY campaign_trunk_by_trunk_id (trunk_id),
    CONSTRAINT campaign_trunk_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaign (id),
    CONSTRAINT campaign_trunk_trunk_id FOREIGN KEY (trunk_id) REFERENCES trunk (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='Trunks that a campaign dials on';

CREATE TABLE campaign_end_point (
    campaign_id BIGINT NOT NULL COMMENT 'the campaign',
    end_point_id BIGINT NOT NULL COMMENT 'the end point',
    position INTEGER NOT NULL COMMENT 'order, from 0',
    PRIMARY KEY (campaign_id, end_point_id),
    KEY campaign_end_point_by_end_point_id (end_point_id),
    CONSTRAINT campaign_end_point_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaign (id),
    CONSTRAINT campaign_end_point_end_point_id FOREIGN KEY (end_point_id) REFERENCES end_point (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='End points that a campaign''s answered calls go to';

CREATE TABLE campaign_list (
    campaign_id BIGINT NOT NULL COMMENT 'the campaign',
    list_id BIGINT NOT NULL COMMENT 'the list',
    position INTEGER NOT NULL COMMENT 'order in which lists are dialled, from 0',
    list_use VARCHAR(16) NOT NULL COMMENT 'NORMAL or BLACK',
    PRIMARY KEY (campaign_id, list_id),
    KEY campaign_list_by_list_id (list_id),
    CONSTRAINT campaign_list_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaign (id),
    CONSTRAINT campaign_list_list_id FOREIGN KEY (list_id) REFERENCES call_list (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='Lists that a campaign dials, and black lists it must not dial';

CREATE TABLE reschedule_rule (
    id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'identity',
    campaign_id BIGINT NOT NULL COMMENT 'the campaign',
    position INTEGER NOT NULL COMMENT 'order shown, from 0; it decides nothing',
    status VARCHAR(16) NOT NULL COMMENT 'outcome it is for',
    extended_status VARCHAR(80) NOT NULL COMMENT 'empty: attempts without one; a code; * : any',
    max_attempts INTEGER NOT NULL COMMENT 'attempts at most',
    retry_after_s INTEGER NOT NULL COMMENT 'seconds to the next try',
    mode VARCHAR(16) NOT NULL COMMENT 'FIXED: always so long; MULTI: times the attempt',
    PRIMARY KEY (id),
    KEY reschedule_rule_by_campaign_id (campaign_id),
    CONSTRAINT reschedule_rule_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaign (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='When a record is tried again after an outcome';

CREATE TABLE user_class (
    id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'identity',
    name VARCHAR(80) NOT NULL COMMENT 'unique',
    description VARCHAR(255) NOT NULL COMMENT 'what it is for',
    key_list VARCHAR(2000) NOT NULL COMMENT 'keys, separated by blanks',
    created_at DOUBLE NOT NULL COMMENT 'when it was made (epoch seconds, UTC)',
    created_by VARCHAR(80) NOT NULL COMMENT 'login of who made it',
    changed_at DOUBLE NOT NULL COMMENT 'when it was changed last (epoch seconds, UTC)',
    changed_by VARCHAR(80) NOT NULL COMMENT 'login of who changed it last',
    version INTEGER NOT NULL COMMENT 'grows by one with each change; a save that brings an old one is refused',
    PRIMARY KEY (id),
    UNIQUE KEY user_class_by_name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='A class of users and the keys its members hold';

CREATE TABLE user (
    id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'identity',
    login VARCHAR(80) NOT NULL COMMENT 'unique',
    password_hash VARCHAR(255) NOT NULL COMMENT 'argon2id hash, empty: cannot log on by password',
    real_name VARCHAR(255) NOT NULL COMMENT 'name for people',
    enabled TINYINT(1) NOT NULL COMMENT 'whether log-on is allowed',
    email VARCHAR(255) NOT NULL COMMENT 'address',
    master TINYINT(1) NOT NULL COMMENT 'holds all keys',
    class_id BIGINT NULL COMMENT 'the class',
    key_list VARCHAR(2000) NOT NULL COMMENT 'own keys, separated by blanks; -KEY takes one of the class away',
    logons INTEGER NOT NULL COMMENT 'log-ons so far',
    last_logon_at DOUBLE NULL COMMENT 'last log-on (epoch seconds, UTC)',
    comment VARCHAR(1000) NOT NULL COMMENT 'free text',
    token VARCHAR(255) NOT NULL COMMENT 'agent channels for the preview page, separated by blanks',
    time_zone VARCHAR(64) NOT NULL COMMENT 'IANA name of the zone in which times are shown to them, empty: the dialer''s own',
    created_at DOUBLE NOT NULL COMMENT 'when it was made (epoch seconds, UTC)',
    created_by VARCHAR(80) NOT NULL COMMENT 'login of who made it',
    changed_at DOUBLE NOT NULL COMMENT 'when it was changed last (epoch seconds, UTC)',
    changed_by VARCHAR(80) NOT NULL COMMENT 'login of who changed it last',
    version INTEGER NOT NULL COMMENT 'grows by one with each change; a save that brings an old one is refused',
    PRIMARY KEY (id),
    UNIQUE KEY user_by_login (login),
    KEY user_by_class_id (class_id),
    CONSTRAINT user_class_id FOREIGN KEY (class_id) REFERENCES user_class (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='Somebody who may log on';

CREATE TABLE audit (
    id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'identity',
    at DOUBLE NOT NULL COMMENT 'when (epoch seconds, UTC)',
    login VARCHAR(80) NOT NULL COMMENT 'who',
    action VARCHAR(16) NOT NULL COMMENT 'CREATED, CHANGED or DELETED',
    entity VARCHAR(32) NOT NULL COMMENT 'table of the thing',
    entity_id BIGINT NOT NULL COMMENT 'its identity',
    old_values MEDIUMTEXT NOT NULL COMMENT 'JSON object of the changed fields before; secrets are ***',
    new_values MEDIUMTEXT NOT NULL COMMENT 'JSON object of the changed fields after; secrets are ***',
    PRIMARY KEY (id),
    KEY audit_by_entity_entity_id_at (entity, entity_id, at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='Who changed which configured thing, from what to what';

CREATE TABLE system_log (
    id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'identity',
    at DOUBLE NOT NULL COMMENT 'when (epoch seconds, UTC)',
    login VARCHAR(80) NOT NULL COMMENT 'who, or dialer',
    action VARCHAR(80) NOT NULL COMMENT 'what was done',
    object VARCHAR(255) NOT NULL COMMENT 'to what',
    detail MEDIUMTEXT NOT NULL COMMENT 'the rest, in words',
    PRIMARY KEY (id),
    KEY system_log_by_at (at),
    KEY system_log_by_login_at (login, at),
    KEY system_log_by_action_at (action, at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='What happened to the system: life cycles, log-ons, changes, starts, stops, links, errors';

CREATE TABLE dialer_lease (
    name VARCHAR(16) NOT NULL COMMENT 'what is leased',
    node VARCHAR(255) NOT NULL COMMENT 'host that holds it',
    pid INTEGER NOT NULL COMMENT 'process that holds it',
    acquired_at DOUBLE NOT NULL COMMENT 'since when (epoch seconds, UTC)',
    expires_at DOUBLE NOT NULL COMMENT 'after this moment another may take it (epoch seconds, UTC)',
    PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='Which dialer works on this database; one row while one does';

CREATE TABLE id_block (
    name VARCHAR(16) NOT NULL COMMENT 'what the ids are for',
    next_id BIGINT NOT NULL COMMENT 'the next one to give out',
    PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='Next free WOMBATID; one row, taken from in the transaction that claims the records';

CREATE TABLE run (
    id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'identity',
    campaign_id BIGINT NOT NULL COMMENT 'the campaign',
    campaign_name VARCHAR(80) NOT NULL COMMENT 'its name when the run began',
    name VARCHAR(120) NOT NULL COMMENT 'campaign and start time',
    state VARCHAR(16) NOT NULL COMMENT 'RUNNABLE, RUNNING, WRONG_TIME, PAUSED, IDLE, COMPLETED or REMOVED',
    live_campaign_id BIGINT NULL COMMENT 'the campaign while the run is live, else NULL: unique, so one live run at most',
    boost DOUBLE NOT NULL COMMENT 'factor on the end points'' own boost',
    started_at DOUBLE NOT NULL COMMENT 'when it was started (epoch seconds, UTC)',
    started_by VARCHAR(80) NOT NULL COMMENT 'login of who started it',
    state_at DOUBLE NOT NULL COMMENT 'when the state was entered (epoch seconds, UTC)',
    ended_at DOUBLE NULL COMMENT 'when it completed or was removed (epoch seconds, UTC)',
    taken INTEGER NOT NULL COMMENT 'records taken from the lists',
    closed INTEGER NOT NULL COMMENT 'records closed for good',
    attempts INTEGER NOT NULL COMMENT 'attempts ended, black-listed ones included',
    answered INTEGER NOT NULL COMMENT 'attempts that were answered',
    rescheduled INTEGER NOT NULL COMMENT 'attempts that led to a retry',
    open_retries INTEGER NOT NULL COMMENT 'rows of open_retry',
    dropped INTEGER NOT NULL COMMENT 'records given up because the run was removed; a part of closed',
    PRIMARY KEY (id),
    KEY run_by_campaign_id (campaign_id),
    UNIQUE KEY run_by_live_campaign_id (live_campaign_id),
    KEY run_by_started_at (started_at),
    CONSTRAINT run_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaign (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='One execution of a campaign with its ledger: taken = closed + open attempts + open_retries';

CREATE TABLE run_list (
    run_id BIGINT NOT NULL COMMENT 'the run',
    list_id BIGINT NOT NULL COMMENT 'the list',
    position INTEGER NOT NULL COMMENT 'order, from 0',
    paused TINYINT(1) NOT NULL COMMENT 'nothing new is taken from it',
    high_water BIGINT NOT NULL COMMENT 'id of the last record taken, 0 before the first',
    taken INTEGER NOT NULL COMMENT 'records taken from it',
    PRIMARY KEY (run_id, list_id),
    KEY run_list_by_list_id (list_id),
    CONSTRAINT run_list_run_id FOREIGN KEY (run_id) REFERENCES run (id),
    CONSTRAINT run_list_list_id FOREIGN KEY (list_id) REFERENCES call_list (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='Lists of a run and how far they are';

CREATE TABLE attempt (
    wombatid BIGINT NOT NULL COMMENT 'identity of the attempt everywhere',
    run_id BIGINT NOT NULL COMMENT 'the run',
    record_id BIGINT NOT NULL COMMENT 'the record',
    list_id BIGINT NOT NULL COMMENT 'the list',
    list_name VARCHAR(80) NOT NULL COMMENT 'its name when claimed',
    number VARCHAR(40) NOT NULL COMMENT 'number dialled',
    attempt INTEGER NOT NULL COMMENT 'number of this try of the record in this run, 1 is the first',
    input_attributes MEDIUMTEXT NOT NULL COMMENT 'JSON object of texts, as claimed',
    output_attributes MEDIUMTEXT NOT NULL COMMENT 'JSON object of texts, as claimed',
    state VARCHAR(16) NOT NULL COMMENT 'state of the call',
    state_at DOUBLE NOT NULL COMMENT 'when the state was entered (epoch seconds, UTC)',
    server_id BIGINT NULL COMMENT 'PBX it was assigned to',
    trunk_id BIGINT NULL COMMENT 'trunk it was assigned to',
    end_point_id BIGINT NULL COMMENT 'end point it was assigned to',
    requested_at DOUBLE NULL COMMENT 'when it was made durable that it may be dialled (epoch seconds, UTC)',
    dialling_at DOUBLE NULL COMMENT 'when the PBX made the channel (epoch seconds, UTC)',
    connected_at DOUBLE NULL COMMENT 'when the callee answered (epoch seconds, UTC)',
    agent VARCHAR(80) NULL COMMENT 'reverse: agent whose phone is called first',
    agent_interface VARCHAR(255) NULL COMMENT 'reverse: that phone, as Asterisk names it',
    PRIMARY KEY (wombatid),
    KEY attempt_by_run_id (run_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='An open attempt: in the hopper or in progress. What it is dialled with is kept as it was when claimed';

CREATE TABLE open_retry (
    run_id BIGINT NOT NULL COMMENT 'the run',
    record_id BIGINT NOT NULL COMMENT 'the record',
    due_at DOUBLE NOT NULL COMMENT 'when it may be dialled again (epoch seconds, UTC)',
    attempt INTEGER NOT NULL COMMENT 'number that the next try will have',
    wombatid BIGINT NULL COMMENT 'WOMBATID promised for that try',
    PRIMARY KEY (run_id, record_id),
    KEY open_retry_by_run_id_due_at (run_id, due_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='A record of a run that waits for its next try';

CREATE TABLE call_log (
    wombatid BIGINT NOT NULL COMMENT 'identity of the attempt, also the log id',
    run_id BIGINT NOT NULL COMMENT 'the run',
    run_name VARCHAR(120) NOT NULL COMMENT 'campaign and start time of the run',
    campaign_id BIGINT NOT NULL COMMENT 'the campaign',
    campaign_name VARCHAR(80) NOT NULL COMMENT 'its name then',
    list_id BIGINT NOT NULL COMMENT 'the list',
    list_name VARCHAR(80) NOT NULL COMMENT 'its name then',
    record_id BIGINT NOT NULL COMMENT 'the record',
    number VARCHAR(40) NOT NULL COMMENT 'number dialled',
    attempt INTEGER NOT NULL COMMENT 'number of this try, 1 is the first (retry number + 1)',
    outcome VARCHAR(16) NOT NULL COMMENT 'TERMINATED or an RS_ code',
    extended_status VARCHAR(80) NOT NULL COMMENT 'code that dialplan or agent set, empty: none',
    attempted_at DOUBLE NOT NULL COMMENT 'when the call was requested (epoch seconds, UTC)',
    ended_at DOUBLE NOT NULL COMMENT 'when it ended (epoch seconds, UTC)',
    wait_pre_ms INTEGER NOT NULL COMMENT 'request to channel',
    wait_after_ms INTEGER NOT NULL COMMENT 'channel to answer',
    talk_ms INTEGER NOT NULL COMMENT 'answer to end',
    retry_in_s INTEGER NOT NULL COMMENT 'seconds to the next try, 0: the record is closed',
    server_id BIGINT NULL COMMENT 'PBX it was placed on',
    trunk_id BIGINT NULL COMMENT 'trunk it was placed on',
    trunk_name VARCHAR(80) NOT NULL COMMENT 'its name then',
    end_point_id BIGINT NULL COMMENT 'end point it was for',
    end_point_name VARCHAR(80) NOT NULL COMMENT 'its name then',
    agent VARCHAR(80) NOT NULL COMMENT 'agent who took it',
    channel VARCHAR(80) NOT NULL COMMENT 'Asterisk channel',
    unique_id VARCHAR(80) NOT NULL COMMENT 'Asterisk unique id',
    cause INTEGER NULL COMMENT 'hang-up cause (Q.850)',
    sip_code VARCHAR(80) NOT NULL COMMENT 'technology''s own cause, where told',
    dial_status VARCHAR(16) NOT NULL COMMENT 'DialStatus, where told',
    message VARCHAR(255) NOT NULL COMMENT 'what went wrong, in words',
    input_attributes MEDIUMTEXT NOT NULL COMMENT 'JSON object of texts: what it was dialled with',
    output_attributes MEDIUMTEXT NOT NULL COMMENT 'JSON object of texts: what it left',
    PRIMARY KEY (wombatid),
    KEY call_log_by_record_id (record_id),
    KEY call_log_by_attempted_at (attempted_at),
    KEY call_log_by_run_id_wombatid (run_id, wombatid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='One row an attempt that ended; names are as they were then';

CREATE TABLE opening_hours (
    id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'identity',
    name VARCHAR(80) NOT NULL COMMENT 'unique',
    comment VARCHAR(255) NOT NULL COMMENT 'free text',
    default_open TINYINT(1) NOT NULL COMMENT 'open where no rule fits',
    hidden TINYINT(1) NOT NULL COMMENT 'not shown unless asked for',
    security_key VARCHAR(80) NOT NULL COMMENT 'key that its viewers must hold, empty: everybody',
    created_at DOUBLE NOT NULL COMMENT 'when it was made (epoch seconds, UTC)',
    created_by VARCHAR(80) NOT NULL COMMENT 'login of who made it',
    changed_at DOUBLE NOT NULL COMMENT 'when it was changed last (epoch seconds, UTC)',
    changed_by VARCHAR(80) NOT NULL COMMENT 'login of who changed it last',
    version INTEGER NOT NULL COMMENT 'grows by one with each change; a save that brings an old one is refused',
    PRIMARY KEY (id),
    UNIQUE KEY opening_hours_by_name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='When calls may be placed, shared by campaigns';

CREATE TABLE opening_rule (
    id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'identity',
    opening_hours_id BIGINT NOT NULL COMMENT 'the opening hours',
    position INTEGER NOT NULL COMMENT 'order, from 0',
    is_open TINYINT(1) NOT NULL COMMENT 'open then, else closed',
    from_date VARCHAR(10) NOT NULL COMMENT 'first day, YYYY-MM-DD or MM-DD, empty: any',
    to_date VARCHAR(10) NOT NULL COMMENT 'last day, YYYY-MM-DD or MM-DD, empty: any',
    days VARCHAR(7) NOT NULL COMMENT 'days of the week, 1 is Sunday, 7 is Saturday',
    start_s INTEGER NOT NULL COMMENT 'begin, seconds since midnight',
    end_s INTEGER NOT NULL COMMENT 'last second since midnight; before the begin: it spans midnight',
    comment VARCHAR(80) NOT NULL COMMENT 'free text',
    PRIMARY KEY (id),
    KEY opening_rule_by_opening_hours_id (opening_hours_id),
    CONSTRAINT opening_rule_opening_hours_id FOREIGN KEY (opening_hours_id) REFERENCES opening_hours (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='Lines of opening hours; the first that fits decides';

CREATE TABLE campaign_opening_hours (
    campaign_id BIGINT NOT NULL COMMENT 'the campaign',
    opening_hours_id BIGINT NOT NULL COMMENT 'the opening hours',
    position INTEGER NOT NULL COMMENT 'order, from 0',
    PRIMARY KEY (campaign_id, opening_hours_id),
    KEY campaign_opening_hours_by_opening_hours_id (opening_hours_id),
    CONSTRAINT campaign_opening_hours_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaign (id),
    CONSTRAINT campaign_opening_hours_opening_hours_id FOREIGN KEY (opening_hours_id) REFERENCES opening_hours (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='Opening hours that a campaign keeps to: all of them must be open';

CREATE TABLE disposition_rule (
    id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'identity',
    campaign_id BIGINT NOT NULL COMMENT 'the campaign',
    position INTEGER NOT NULL COMMENT 'order, from 0: all that fit are done, in it',
    status VARCHAR(16) NOT NULL COMMENT 'outcome it is for, * : any',
    extended_status VARCHAR(80) NOT NULL COMMENT 'empty: attempts without one; a code; * : any',
    with_retries TINYINT(1) NOT NULL COMMENT 'also for attempts that will be retried, else only for those that close their record',
    verb VARCHAR(16) NOT NULL COMMENT 'NONE, HTTP_GET, HTTP_POST, ADD_LIST, BLACK_LIST, EMAIL or RESCHEDULE',
    destination VARCHAR(1000) NOT NULL COMMENT 'URL, addresses, list or campaign, with ${ATTRIBUTE}',
    body MEDIUMTEXT NOT NULL COMMENT 'text of what is sent, with ${ATTRIBUTE}',
    delay_s INTEGER NOT NULL COMMENT 'seconds after the attempt ended',
    attributes VARCHAR(16) NOT NULL COMMENT 'which attributes go along: ALL, INPUT, OUTPUT or NONE',
    extra VARCHAR(2000) NOT NULL COMMENT 'more attributes: NAME:value,NAME:value with ${ATTRIBUTE}',
    PRIMARY KEY (id),
    KEY disposition_rule_by_campaign_id (campaign_id),
    CONSTRAINT disposition_rule_campaign_id FOREIGN KEY (campaign_id) REFERENCES campaign (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='What is done about an attempt that ended so, besides retrying';

CREATE TABLE outbox (
    id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'identity; rows of one sequence are done in its order',
    kind VARCHAR(16) NOT NULL COMMENT 'NOTIFY (the campaign''s URL), HTTP_GET, HTTP_POST, EMAIL, ADD_LIST, BLACK_LIST or RESCHEDULE',
    state VARCHAR(16) NOT NULL COMMENT 'WAITING, or PARKED: given up, until somebody replays or deletes it',
    receiver VARCHAR(255) NOT NULL COMMENT 'who it is for: host of the URL, mail server, list or campaign',
    sequence VARCHAR(80) NOT NULL COMMENT 'rows with the same one wait for each other; empty: it waits for none',
    campaign_id BIGINT NULL COMMENT 'the campaign',
    run_id BIGINT NULL COMMENT 'the run',
    wombatid BIGINT NULL COMMENT 'the attempt it is about',
    payload MEDIUMTEXT NOT NULL COMMENT 'JSON object: what is sent or done',
    created_at DOUBLE NOT NULL COMMENT 'when it was written (epoch seconds, UTC)',
    due_at DOUBLE NOT NULL COMMENT 'when it is tried next (epoch seconds, UTC)',
    first_due_at DOUBLE NOT NULL COMMENT 'when it was due first, or replayed: giving up counts from here (epoch seconds, UTC)',
    tries INTEGER NOT NULL COMMENT 'tries so far',
    error VARCHAR(255) NOT NULL COMMENT 'what went wrong last, in words',
    PRIMARY KEY (id),
    KEY outbox_by_state_receiver_due_at (state, receiver, due_at),
    KEY outbox_by_sequence_id (sequence, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='What is still to be told or done outside the calls: written with what it is about, deleted when done';

CREATE TABLE api_token (
    id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'identity',
    user_id BIGINT NOT NULL COMMENT 'whose rights it has',
    name VARCHAR(80) NOT NULL COMMENT 'what it is for',
    token_hash VARCHAR(64) NOT NULL COMMENT 'SHA-256 of the token, which is shown once',
    scopes VARCHAR(255) NOT NULL COMMENT 'what it may be used for, separated by blanks',
    created_at DOUBLE NOT NULL COMMENT 'when it was made (epoch seconds, UTC)',
    created_by VARCHAR(80) NOT NULL COMMENT 'login of who made it',
    expires_at DOUBLE NULL COMMENT 'after this moment it is refused (epoch seconds, UTC)',
    revoked_at DOUBLE NULL COMMENT 'when it was revoked (epoch seconds, UTC)',
    last_used_at DOUBLE NULL COMMENT 'when it was used last (epoch seconds, UTC)',
    PRIMARY KEY (id),
    KEY api_token_by_user_id (user_id),
    UNIQUE KEY api_token_by_token_hash (token_hash),
    CONSTRAINT api_token_user_id FOREIGN KEY (user_id) REFERENCES user (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='Tokens with which programs call the API in the name of a user';

CREATE TABLE idempotency_key (
    login VARCHAR(80) NOT NULL COMMENT 'who asked',
    idempotency_key VARCHAR(200) NOT NULL COMMENT 'the key that was sent',
    request_hash VARCHAR(64) NOT NULL COMMENT 'SHA-256 of method, address and body: the same key with another request is refused',
    status INTEGER NOT NULL COMMENT 'status that was answered, 0 while it is being done',
    answer MEDIUMTEXT NOT NULL COMMENT 'body that was answered',
    created_at DOUBLE NOT NULL COMMENT 'when it was asked first (epoch seconds, UTC)',
    PRIMARY KEY (login, idempotency_key),
    KEY idempotency_key_by_created_at (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='Answers of the API to requests with an Idempotency-Key, so that a repeated one is not done twice';

CREATE TABLE web_session (
    token_hash VARCHAR(64) NOT NULL COMMENT 'SHA-256 of what the cookie holds',
    user_id BIGINT NOT NULL COMMENT 'who logged on',
    stamp VARCHAR(64) NOT NULL COMMENT 'of the password then: with another one the session has ended',
    address VARCHAR(64) NOT NULL COMMENT 'where from',
    created_at DOUBLE NOT NULL COMMENT 'when (epoch seconds, UTC)',
    seen_at DOUBLE NOT NULL COMMENT 'last request, to the minute (epoch seconds, UTC)',
    PRIMARY KEY (token_hash),
    KEY web_session_by_user_id (user_id),
    KEY web_session_by_seen_at (seen_at),
    CONSTRAINT web_session_user_id FOREIGN KEY (user_id) REFERENCES user (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='People who are logged on at the console';
