# Daybook needs PostgreSQL 18. Where the region does not offer it yet, run it in the cluster (CloudNativePG) and leave this out.
resource "oci_psql_db_system" "this" {
  compartment_id              = var.compartment
  display_name                = var.name
  db_version                  = "18"
  shape                       = "PostgreSQL.VM.Standard.E5.Flex"
  instance_ocpu_count         = var.size.database.cpus
  instance_memory_size_in_gbs = var.size.database.memory_gb
  instance_count              = var.size.database.standby ? 2 : 1

  network_details {
    subnet_id = oci_core_subnet.this["data"].id
    nsg_ids   = [oci_core_network_security_group.this["data"].id]
  }

  storage_details {
    system_type           = "OCI_OPTIMIZED_STORAGE"
    is_regionally_durable = true
  }

  credentials {
    username = "postgres"
    password_details {
      password_type  = "VAULT_SECRET"
      secret_id      = oci_vault_secret.database_admin.id
      secret_version = "1"
    }
  }

  management_policy {
    backup_policy {
      kind           = "DAILY"
      backup_start   = "03:00"
      retention_days = var.size.database.backup_days
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}
