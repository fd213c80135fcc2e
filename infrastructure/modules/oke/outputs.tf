output "kubeconfig_command" {
  value = "oci ce cluster create-kubeconfig --cluster-id ${oci_containerengine_cluster.this.id} --region ${var.region}"
}

output "name_servers" {
  value = oci_dns_zone.this.nameservers[*].hostname
}

output "database_host" {
  value = oci_psql_db_system.this.network_details[0].primary_db_endpoint_private_ip
}

output "kafka_brokers" {
  value = oci_managed_kafka_kafka_cluster.this.kafka_bootstrap_urls[*].url
}

output "secret_store" {
  description = "For the ClusterSecretStore of External Secrets."
  value       = { vault = oci_kms_vault.this.id, region = var.region }
}

output "network_policy_peers" {
  description = "For networkPolicy.*.peers of the charts."
  value       = { database = [local.subnets.data.cidr], kafka = [local.subnets.data.cidr] }
}
