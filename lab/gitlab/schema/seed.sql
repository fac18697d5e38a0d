-- Six projects, some blobs.
INSERT INTO schema_migrations (version) VALUES ('20260712081533'), ('20260803114027');
INSERT INTO ar_internal_metadata (key, value) VALUES ('environment', 'production');
INSERT INTO application_settings (maintenance_mode) VALUES (false);
INSERT INTO licenses (data) VALUES ('of a practice lab: nothing is licensed');
INSERT INTO users (username, name, email, admin) VALUES ('root', 'Administrator', 'admin@lab.test', true), ('dev', 'Developer', 'dev@lab.test', false);
INSERT INTO namespaces (name, path, type, traversal_ids) VALUES ('Canary', 'canary', 'Group', '{1}'), ('Shop', 'shop', 'Group', '{2}');
INSERT INTO projects (name, path, namespace_id, creator_id)
    VALUES ('canary', 'canary', 1, 1), ('web', 'web', 2, 1), ('api', 'api', 2, 1), ('mobile', 'mobile', 2, 2), ('infra', 'infra', 2, 2), ('docs', 'docs', 2, 2);
INSERT INTO routes (source_id, source_type, path, name) SELECT id, 'Namespace', path, name FROM namespaces;
INSERT INTO routes (source_id, source_type, path, name)
    SELECT p.id, 'Project', n.path || '/' || p.path, n.name || ' / ' || p.name FROM projects p JOIN namespaces n ON n.id = p.namespace_id;
INSERT INTO shards (name) VALUES ('default');
INSERT INTO project_repositories (shard_id, disk_path, project_id)
    SELECT 1, '@hashed/' || substr(h, 1, 2) || '/' || substr(h, 3, 2) || '/' || h, id
    FROM (SELECT id, encode(sha256(id::text::bytea), 'hex') AS h FROM projects) AS hashed;
INSERT INTO project_repository_states (project_id) SELECT id FROM projects;
INSERT INTO uploads (size, path, checksum, model_id, model_type, uploader)
    SELECT 1000 + n, 'uploads/-/system/note/attachment/' || n || '/screenshot.png', encode(sha256(n::text::bytea), 'hex'), n, 'Note', 'AttachmentUploader'
    FROM generate_series(1, 14) AS n;
INSERT INTO upload_states (upload_id, verification_state, verified_at, verification_checksum) SELECT id, 2, now(), decode(checksum, 'hex') FROM uploads;
INSERT INTO lfs_objects (oid, size, file) SELECT encode(sha256(('lfs' || n)::bytea), 'hex'), 4096 * n, 'object-' || n FROM generate_series(1, 9) AS n;
INSERT INTO lfs_object_states (lfs_object_id, verification_state, verified_at, verification_checksum) SELECT id, 2, now(), decode(oid, 'hex') FROM lfs_objects;
INSERT INTO batched_background_migrations (job_class_name, table_name, column_name, status) VALUES ('BackfillUploadStates', 'uploads', 'id', 3);
