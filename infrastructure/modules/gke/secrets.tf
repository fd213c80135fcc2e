# Made anew with each apply and kept nowhere but in Secret Manager, which takes them when their version grows.
ephemeral "random_password" "this" {
  for_each = toset(["database-admin", "database-owner", "database-app", "database-scaler", "app-token", "api-token"])
  length   = 40
  special  = false
}

locals {
  passwords     = ephemeral.random_password.this
  database_host = google_sql_database_instance.this.private_ip_address
}

resource "google_secret_manager_secret" "daybook" {
  secret_id = var.name

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }
}

# What charts/daybook-platform/values-production.yaml reads, but for Kafka's login, which is the identity of the pods.
resource "google_secret_manager_secret_version" "daybook" {
  secret = google_secret_manager_secret.daybook.id
  secret_data_wo = jsonencode({
    database-admin-url = "postgres://postgres:${local.passwords["database-admin"].result}@${local.database_host}:5432/daybook?sslmode=require"
    migration-url      = "postgres://daybook_owner:${local.passwords["database-owner"].result}@${local.database_host}:5432/daybook?sslmode=require"
    database-url       = "postgres://daybook_app:${local.passwords["database-app"].result}@${local.database_host}:5432/daybook?sslmode=require"
    scaler-url         = "postgres://daybook_scaler:${local.passwords["database-scaler"].result}@${local.database_host}:5432/daybook?sslmode=require"
    app-token          = local.passwords["app-token"].result
    api-token          = local.passwords["api-token"].result
  })
  secret_data_wo_version = 1
}

# External Secrets reads it as itself, without a key.
resource "google_secret_manager_secret_iam_member" "external_secrets" {
  secret_id = google_secret_manager_secret.daybook.id
  role      = "roles/secretmanager.secretAccessor"
  member    = "principal://iam.googleapis.com/projects/${data.google_project.this.number}/locations/global/workloadIdentityPools/${var.project}.svc.id.goog/subject/ns/external-secrets/sa/external-secrets"
}

data "google_project" "this" {
  project_id = var.project
}
