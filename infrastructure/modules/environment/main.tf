# How large an environment is, and the topics of Daybook, which come from its functions.

terraform {
  required_version = ">= 1.11.0"
}

variable "name" {
  description = "dev, staging or production."
  type        = string
  validation {
    condition     = contains(["dev", "staging", "production"], var.name)
    error_message = "An environment is dev, staging or production."
  }
}

locals {
  sizes = {
    dev = {
      nodes             = { min = 1, max = 3 }
      database          = { cpus = 2, memory_gb = 8, storage_gb = 32, standby = false, backup_days = 7 }
      kafka_cpus        = 3
      kafka_replication = 3
      protected         = false
    }
    staging = {
      nodes             = { min = 3, max = 5 }
      database          = { cpus = 2, memory_gb = 8, storage_gb = 64, standby = true, backup_days = 7 }
      kafka_cpus        = 3
      kafka_replication = 3
      protected         = false
    }
    production = {
      nodes             = { min = 3, max = 12 }
      database          = { cpus = 4, memory_gb = 16, storage_gb = 256, standby = true, backup_days = 30 }
      kafka_cpus        = 6
      kafka_replication = 3
      protected         = true
    }
  }
}

output "size" {
  value = local.sizes[var.name]
}

output "topics" {
  description = "By name: partitions and days of retention."
  value       = yamldecode(file("${path.module}/../../../charts/daybook-platform/files/functions.yaml")).topics
}
