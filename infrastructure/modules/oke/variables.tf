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

variable "compartment" {
  description = "OCID of the compartment that everything is made in."
  type        = string
}

variable "kubernetes_version" {
  description = "As OKE names it: v1.34.1."
  type        = string
}

variable "node_image" {
  description = "OCID of an OKE image of that version, for the region and shape."
  type        = string
}
