-- A secondary that has been one for long: all blobs are there. psql variables: uploads, lfs_objects (how many).
INSERT INTO schema_migrations VALUES ('20260618093011'), ('20260729140502');
INSERT INTO file_registry (file_id, state, last_synced_at, verification_state, verified_at) SELECT n, 2, now(), 2, now() FROM generate_series(1, :uploads) AS n;
INSERT INTO lfs_object_registry (lfs_object_id, state, last_synced_at, verification_state, verified_at) SELECT n, 2, now(), 2, now() FROM generate_series(1, :lfs_objects) AS n;
INSERT INTO project_repository_registry (project_id) SELECT n FROM generate_series(1, 6) AS n;
