-- The part of gitlabhq_production that Geo and a failover look at, with GitLab's column names.
CREATE TABLE schema_migrations (version varchar PRIMARY KEY, finished_at timestamptz DEFAULT now());
CREATE TABLE ar_internal_metadata (key varchar PRIMARY KEY, value varchar, created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT now());
CREATE TABLE application_settings (
    id bigserial PRIMARY KEY, created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT now(),
    maintenance_mode boolean NOT NULL DEFAULT false, maintenance_mode_message text,
    silent_mode_enabled boolean NOT NULL DEFAULT false, signup_enabled boolean NOT NULL DEFAULT false,
    hashed_storage_enabled boolean NOT NULL DEFAULT true, authorized_keys_enabled boolean NOT NULL DEFAULT false,
    enabled_git_access_protocol varchar);
CREATE TABLE licenses (id bigserial PRIMARY KEY, data text NOT NULL, created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT now());
CREATE TABLE users (id bigserial PRIMARY KEY, username varchar UNIQUE, name varchar, email varchar, admin boolean NOT NULL DEFAULT false,
    state varchar DEFAULT 'active', created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT now());
CREATE TABLE namespaces (id bigserial PRIMARY KEY, name varchar NOT NULL, path varchar NOT NULL, type varchar NOT NULL, parent_id bigint,
    traversal_ids bigint[] NOT NULL DEFAULT '{}', created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT now());
CREATE TABLE projects (id bigserial PRIMARY KEY, name varchar NOT NULL, path varchar NOT NULL, namespace_id bigint NOT NULL REFERENCES namespaces,
    creator_id bigint, visibility_level integer NOT NULL DEFAULT 20, archived boolean NOT NULL DEFAULT false,
    repository_storage varchar NOT NULL DEFAULT 'default', storage_version smallint DEFAULT 2, created_at timestamp DEFAULT now(),
    updated_at timestamp DEFAULT now(), last_activity_at timestamp DEFAULT now(), last_repository_updated_at timestamp DEFAULT now());
CREATE TABLE routes (id bigserial PRIMARY KEY, source_id bigint NOT NULL, source_type varchar NOT NULL, path varchar NOT NULL UNIQUE, name varchar,
    created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT now());
CREATE TABLE shards (id serial PRIMARY KEY, name varchar NOT NULL);
CREATE TABLE project_repositories (id bigserial PRIMARY KEY, shard_id bigint NOT NULL, disk_path varchar NOT NULL UNIQUE, project_id bigint NOT NULL UNIQUE REFERENCES projects);
CREATE TABLE project_wiki_repositories (id bigserial PRIMARY KEY, project_id bigint NOT NULL UNIQUE REFERENCES projects,
    created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now());
CREATE TABLE uploads (id bigserial PRIMARY KEY, size bigint NOT NULL, path varchar NOT NULL, checksum varchar, model_id bigint, model_type varchar,
    uploader varchar NOT NULL, store integer NOT NULL DEFAULT 2, created_at timestamp DEFAULT now());
CREATE TABLE lfs_objects (id bigserial PRIMARY KEY, oid varchar NOT NULL UNIQUE, size bigint NOT NULL, file varchar, file_store integer DEFAULT 2,
    created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT now());
CREATE TABLE p_ci_job_artifacts (id bigserial PRIMARY KEY, project_id bigint NOT NULL, job_id bigint NOT NULL, file_type integer NOT NULL,
    partition_id bigint NOT NULL DEFAULT 100, size bigint, file varchar, file_store smallint DEFAULT 2, created_at timestamptz DEFAULT now());
CREATE TABLE container_repositories (id bigserial PRIMARY KEY, project_id bigint NOT NULL, name varchar NOT NULL, status smallint,
    created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT now());
CREATE TABLE batched_background_migrations (id bigserial PRIMARY KEY, job_class_name text NOT NULL, table_name text NOT NULL, column_name text NOT NULL,
    job_arguments jsonb NOT NULL DEFAULT '[]', status smallint NOT NULL DEFAULT 0, created_at timestamptz DEFAULT now());

-- Checksums of the primary, one table per data type.
DO $$
DECLARE kind text[];
BEGIN
    FOREACH kind SLICE 1 IN ARRAY ARRAY[['project_repository_states', 'project_id'], ['wiki_repository_states', 'project_wiki_repository_id'],
        ['upload_states', 'upload_id'], ['lfs_object_states', 'lfs_object_id'], ['ci_job_artifact_states', 'job_artifact_id']]
    LOOP
        EXECUTE format('CREATE TABLE %I (id bigserial PRIMARY KEY, verification_started_at timestamptz, verification_retry_at timestamptz,
            verified_at timestamptz, %I bigint NOT NULL UNIQUE, verification_state smallint NOT NULL DEFAULT 0,
            verification_retry_count smallint DEFAULT 0, verification_checksum bytea, verification_failure text)', kind[1], kind[2]);
    END LOOP;
END $$;

CREATE TABLE oauth_applications (id bigserial PRIMARY KEY, name varchar NOT NULL, redirect_uri text NOT NULL,
    created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT now());
CREATE TABLE geo_nodes (
    id bigserial PRIMARY KEY, "primary" boolean NOT NULL DEFAULT false, oauth_application_id bigint, enabled boolean NOT NULL DEFAULT true,
    access_key varchar, encrypted_secret_access_key varchar, encrypted_secret_access_key_iv varchar, clone_url_prefix varchar,
    files_max_capacity integer NOT NULL DEFAULT 10, repos_max_capacity integer NOT NULL DEFAULT 25, url varchar NOT NULL,
    selective_sync_type varchar, selective_sync_shards text, verification_max_capacity integer NOT NULL DEFAULT 100,
    minimum_reverification_interval integer NOT NULL DEFAULT 90, internal_url varchar, name varchar NOT NULL UNIQUE,
    container_repositories_max_capacity integer NOT NULL DEFAULT 2, created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now(),
    sync_object_storage boolean NOT NULL DEFAULT true);
-- GitLab makes an OAuth application for each site that is added, and keeps its URL that of the site.
CREATE FUNCTION lab_oauth_application() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE oauth_applications SET redirect_uri = rtrim(NEW.url, '/') || '/oauth/geo/callback' WHERE id = NEW.oauth_application_id;
    IF NOT FOUND AND TG_OP = 'INSERT' THEN
        INSERT INTO oauth_applications (name, redirect_uri) VALUES ('Geo node: ' || NEW.url, rtrim(NEW.url, '/') || '/oauth/geo/callback')
            RETURNING id INTO NEW.oauth_application_id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER lab_oauth_application BEFORE INSERT OR UPDATE OF url ON geo_nodes FOR EACH ROW EXECUTE FUNCTION lab_oauth_application();
CREATE UNIQUE INDEX index_geo_nodes_on_primary ON geo_nodes ("primary") WHERE "primary";
CREATE TABLE geo_node_namespace_links (id bigserial PRIMARY KEY, geo_node_id bigint NOT NULL REFERENCES geo_nodes ON DELETE CASCADE,
    namespace_id bigint NOT NULL, created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT now());
CREATE TABLE geo_node_statuses (
    id bigserial PRIMARY KEY, geo_node_id bigint NOT NULL UNIQUE REFERENCES geo_nodes ON DELETE CASCADE, db_replication_lag_seconds integer,
    last_event_id bigint, last_event_date timestamptz, cursor_last_event_id bigint, cursor_last_event_date timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), last_successful_status_check_at timestamptz,
    status_message varchar, replication_slots_count integer, replication_slots_used_count integer, replication_slots_max_retained_wal_bytes bigint,
    version varchar, revision varchar, storage_configuration_digest varchar, status jsonb NOT NULL DEFAULT '{}');
CREATE TABLE geo_events (id bigserial PRIMARY KEY, replicable_name varchar(255) NOT NULL, event_name varchar(255) NOT NULL,
    payload jsonb NOT NULL DEFAULT '{}', created_at timestamptz NOT NULL);
CREATE TABLE geo_event_log (id bigserial PRIMARY KEY, created_at timestamptz NOT NULL, geo_event_id bigint REFERENCES geo_events ON DELETE CASCADE,
    cache_invalidation_event_id bigint);

-- The numbered writes of the load generator.
CREATE TABLE lab_writes (number bigint PRIMARY KEY, site text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
