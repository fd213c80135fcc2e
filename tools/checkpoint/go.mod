// What verifies checkpoints of the audit trails: npm run k8s:build, npm run test:k8s.
module daybook.tools/checkpoint

go 1.26.5

require golang.org/x/mod v0.43.0
