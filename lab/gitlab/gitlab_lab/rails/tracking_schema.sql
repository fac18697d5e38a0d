-- gitlabhq_geo_production: what the secondary has copied of each item. Made by `gitlab-rake db:migrate:geo`.
CREATE TABLE schema_migrations (version varchar PRIMARY KEY);
CREATE TABLE ar_internal_metadata (key varchar PRIMARY KEY, value varchar, created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT now());
CREATE TABLE event_log_states (event_id bigint PRIMARY KEY, created_at timestamp NOT NULL);
CREATE TABLE secondary_usage_data (id bigserial PRIMARY KEY, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, payload jsonb NOT NULL DEFAULT '{}');
DO $$
DECLARE kind text[];
BEGIN
    FOREACH kind SLICE 1 IN ARRAY ARRAY[['project_repository_registry', 'project_id'], ['project_wiki_repository_registry', 'project_wiki_repository_id'],
        ['file_registry', 'file_id'], ['lfs_object_registry', 'lfs_object_id'], ['job_artifact_registry', 'artifact_id']]
    LOOP
        EXECUTE format('CREATE TABLE %I (id bigserial PRIMARY KEY, %I bigint NOT NULL UNIQUE, created_at timestamptz NOT NULL DEFAULT now(),
            last_synced_at timestamptz, retry_at timestamptz, retry_count integer DEFAULT 0, last_sync_failure varchar(255),
            state smallint NOT NULL DEFAULT 0, verified_at timestamptz, verification_started_at timestamptz, verification_retry_at timestamptz,
            verification_retry_count integer DEFAULT 0, verification_state smallint NOT NULL DEFAULT 0, verification_checksum bytea,
            verification_checksum_mismatched bytea, checksum_mismatch boolean NOT NULL DEFAULT false, verification_failure varchar(255),
            missing_on_primary boolean NOT NULL DEFAULT false)', kind[1], kind[2]);
    END LOOP;
END $$;
INSERT INTO ar_internal_metadata (key, value) VALUES ('environment', 'production');
