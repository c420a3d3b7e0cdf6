-- The read models. Everything here is derived from the stream EVENTS and may be thrown away and rebuilt.
-- Money is integer micro-dollars, times are UTC, durations are milliseconds. Nothing here tells when it was projected:
-- two databases built from the same events are equal row by row. Columns stand in the order of projection/rows.py.

CREATE TABLE checkpoint (
    stream VARCHAR NOT NULL,
    seq BIGINT NOT NULL,
    hash VARCHAR NOT NULL
);

CREATE TABLE tasks (
    id VARCHAR PRIMARY KEY,
    created_seq BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_seq BIGINT NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    version BIGINT NOT NULL,
    status VARCHAR NOT NULL,
    stopping BOOLEAN NOT NULL,
    title VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    source_kind VARCHAR NOT NULL,
    source_reference VARCHAR NOT NULL,
    source_url VARCHAR NOT NULL,
    source_author VARCHAR NOT NULL,
    requester VARCHAR NOT NULL,
    repo VARCHAR NOT NULL,
    base_commit VARCHAR NOT NULL,
    directive VARCHAR NOT NULL,
    approval VARCHAR NOT NULL,
    session_id VARCHAR NOT NULL,
    parent VARCHAR NOT NULL,
    agent VARCHAR NOT NULL,
    worker VARCHAR NOT NULL,
    working_since TIMESTAMP,
    verdict VARCHAR NOT NULL,
    risk VARCHAR NOT NULL,
    work_kind VARCHAR NOT NULL,
    triage_reason VARCHAR NOT NULL,
    decided_by VARCHAR NOT NULL,
    answer VARCHAR NOT NULL,
    summary VARCHAR NOT NULL,
    plan_status VARCHAR NOT NULL,
    plan_version BIGINT NOT NULL,
    approved_version BIGINT NOT NULL,
    run_status VARCHAR NOT NULL,
    round BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    question VARCHAR NOT NULL,
    commit VARCHAR NOT NULL,
    branch VARCHAR NOT NULL,
    result_url VARCHAR NOT NULL,
    pull_request BIGINT NOT NULL,
    merge_commit VARCHAR NOT NULL,
    merged_by VARCHAR NOT NULL,
    reverted_by VARCHAR NOT NULL,
    attention VARCHAR NOT NULL,
    caught_up_with VARCHAR NOT NULL,
    error_code VARCHAR NOT NULL,
    error_message VARCHAR NOT NULL,
    paused_until TIMESTAMP,
    evidence VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    has_result BOOLEAN NOT NULL,
    ended_in VARCHAR NOT NULL,
    cancelled_how VARCHAR NOT NULL,
    cancelled_by VARCHAR NOT NULL,
    cancelled_reason VARCHAR NOT NULL,
    cost_microusd BIGINT NOT NULL,
    tokens BIGINT NOT NULL
);

-- One row for each proposed version of a task's plan.
CREATE TABLE plans (
    task_id VARCHAR NOT NULL,
    version BIGINT NOT NULL,
    digest VARCHAR NOT NULL,
    base_commit VARCHAR NOT NULL,
    markdown VARCHAR NOT NULL,
    summary VARCHAR NOT NULL,
    attempt BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    proposed_at TIMESTAMP NOT NULL,
    approved_at TIMESTAMP,
    approved_by VARCHAR,
    PRIMARY KEY (task_id, version)
);

-- One row for each attempt (claim) of a task's run. A round that still waits for an executor has none.
CREATE TABLE runs (
    task_id VARCHAR NOT NULL,
    attempt BIGINT NOT NULL,
    round BIGINT NOT NULL,
    status VARCHAR NOT NULL,
    worker VARCHAR NOT NULL,
    session VARCHAR NOT NULL,
    cli_version VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    turn BIGINT NOT NULL,
    claimed_at TIMESTAMP NOT NULL,
    started_at TIMESTAMP,
    finished_at TIMESTAMP,
    duration_ms BIGINT NOT NULL,
    summary VARCHAR NOT NULL,
    commit VARCHAR NOT NULL,
    branch VARCHAR NOT NULL,
    checks VARCHAR NOT NULL,
    files VARCHAR NOT NULL,
    diff VARCHAR NOT NULL,
    evidence VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    tree VARCHAR NOT NULL,
    checked_commit VARCHAR NOT NULL,
    setup VARCHAR NOT NULL,
    notes VARCHAR NOT NULL,
    question VARCHAR NOT NULL,
    options VARCHAR NOT NULL,
    error_code VARCHAR NOT NULL,
    error_message VARCHAR NOT NULL,
    PRIMARY KEY (task_id, attempt)
);

-- One row for each usage item of an event: what one model consumed over one stretch of work.
CREATE TABLE usage (
    seq BIGINT NOT NULL,
    item BIGINT NOT NULL,
    task_id VARCHAR NOT NULL,
    day DATE NOT NULL,
    agent VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    requester VARCHAR NOT NULL,
    session_id VARCHAR NOT NULL,
    repo VARCHAR NOT NULL,
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cache_read_tokens BIGINT NOT NULL,
    cache_write_tokens BIGINT NOT NULL,
    cost_microusd BIGINT NOT NULL,
    priced BOOLEAN NOT NULL
);

-- Every event, once. The time is missing where the envelope could not be read. The data are most of the file: zstd makes
-- it a quarter as large, and a third as long to write, as what DuckDB would choose (measured).
CREATE TABLE timeline (
    seq BIGINT NOT NULL,
    task_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    actor_id VARCHAR NOT NULL,
    event VARCHAR NOT NULL,
    version BIGINT NOT NULL,
    time TIMESTAMP,
    principal VARCHAR NOT NULL,
    data VARCHAR USING COMPRESSION zstd NOT NULL
);

-- Events that this version could not read or fold, with the reason. Each has its row in the timeline too.
CREATE TABLE unread (
    seq BIGINT NOT NULL,
    subject VARCHAR NOT NULL,
    reason VARCHAR NOT NULL
);

CREATE TABLE deliveries (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    webhook VARCHAR NOT NULL,
    event VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    delivery VARCHAR NOT NULL,
    thread VARCHAR NOT NULL,
    author VARCHAR NOT NULL,
    task_id VARCHAR NOT NULL,
    received_at TIMESTAMP NOT NULL
);

CREATE TABLE session_lines (
    seq BIGINT NOT NULL,
    session_id VARCHAR NOT NULL,
    event VARCHAR NOT NULL,
    author VARCHAR NOT NULL,
    principal VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    task_id VARCHAR NOT NULL,
    message_id VARCHAR NOT NULL,
    data VARCHAR USING COMPRESSION zstd NOT NULL,
    said_at TIMESTAMP NOT NULL
);
