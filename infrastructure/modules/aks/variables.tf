variable "name" {
  description = "Of everything that is made: daybook-production."
  type        = string
}

variable "region" {
  type = string
}

variable "domain" {
  description = "The DNS zone that is made, such as daybook.example.org; delegate it to the output name_servers."
  type        = string
}

variable "administrators" {
  description = "Networks that may reach the API server of Kubernetes."
  type        = list(string)
  validation {
    condition     = length(var.administrators) > 0 && !contains(var.administrators, "0.0.0.0/0")
    error_message = "Name the networks of your administrators; everybody is not one."
  }
}

variable "size" {
  description = "Of the module environment."
  type = object({
    nodes             = object({ min = number, max = number })
    database          = object({ cpus = number, memory_gb = number, storage_gb = number, standby = bool, backup_days = number })
    kafka_cpus        = number
    kafka_replication = number
    protected         = bool
  })
}

variable "topics" {
  description = "Of the module environment."
  type        = map(object({ partitions = number, retentionDays = number }))
}

variable "administrator_groups" {
  description = "Object ids of the groups in Entra ID whose members administer the cluster."
  type        = list(string)
}
