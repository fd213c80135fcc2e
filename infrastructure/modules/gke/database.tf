resource "google_sql_database_instance" "this" {
  name                = var.name
  region              = var.region
  database_version    = "POSTGRES_18"
  deletion_protection = true

  settings {
    edition                     = "ENTERPRISE"
    tier                        = "db-custom-${var.size.database.cpus}-${var.size.database.memory_gb * 1024}"
    availability_type           = var.size.database.standby ? "REGIONAL" : "ZONAL"
    disk_size                   = var.size.database.storage_gb
    disk_autoresize             = true
    deletion_protection_enabled = var.size.protected

    ip_configuration {
      ipv4_enabled    = false
      private_network = google_compute_network.this.id
      ssl_mode        = "ENCRYPTED_ONLY"
    }

    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = true
      transaction_log_retention_days = 7
      backup_retention_settings {
        retained_backups = var.size.database.backup_days
      }
    }

    # Nothing that users write goes into the log.
    dynamic "database_flags" {
      for_each = {
        log_statement           = "none"
        log_min_error_statement = "panic"
        log_checkpoints         = "on"
        log_lock_waits          = "on"
      }
      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }
  }

  depends_on = [google_service_networking_connection.this]
}

resource "google_sql_database" "daybook" {
  name     = "daybook"
  instance = google_sql_database_instance.this.name
}

resource "google_sql_user" "admin" {
  name                = "postgres"
  instance            = google_sql_database_instance.this.name
  password_wo         = ephemeral.random_password.this["database-admin"].result
  password_wo_version = 1
}
