resource "oci_managed_kafka_kafka_cluster_config" "this" {
  compartment_id = var.compartment
  display_name   = var.name
  latest_config {
    properties = {
      "auto.create.topics.enable"  = "false"
      "default.replication.factor" = tostring(var.size.kafka_replication)
      "min.insync.replicas"        = "2"
    }
  }
}

# Its topics are made by the chart (topics.by: job), for the provider has no resource for them.
resource "oci_managed_kafka_kafka_cluster" "this" {
  compartment_id         = var.compartment
  display_name           = var.name
  cluster_type           = var.size.protected ? "PRODUCTION" : "DEVELOPMENT"
  coordination_type      = "KRAFT"
  kafka_version          = "3.7.0"
  cluster_config_id      = oci_managed_kafka_kafka_cluster_config.this.id
  cluster_config_version = 1

  access_subnets {
    subnets = [oci_core_subnet.this["data"].id]
  }

  broker_shape {
    node_count          = 3
    ocpu_count          = max(1, floor(var.size.kafka_cpus / 3))
    storage_size_in_gbs = 100
  }
}
