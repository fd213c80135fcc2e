resource "oci_kms_vault" "this" {
  compartment_id = var.compartment
  display_name   = var.name
  vault_type     = "DEFAULT"
}

resource "oci_kms_key" "this" {
  compartment_id      = var.compartment
  display_name        = var.name
  management_endpoint = oci_kms_vault.this.management_endpoint
  protection_mode     = "HSM"
  key_shape {
    algorithm = "AES"
    length    = 32
  }
}

# The vault makes it up itself: the provider has no write-only arguments, and a value here would be in the state. For the same
# reason the secret "daybook", which the charts read, is put there by hand (infrastructure/README.md).
resource "oci_vault_secret" "database_admin" {
  compartment_id         = var.compartment
  vault_id               = oci_kms_vault.this.id
  key_id                 = oci_kms_key.this.id
  secret_name            = "${var.name}-database-admin"
  enable_auto_generation = true
  secret_generation_context {
    generation_type     = "PASSPHRASE"
    generation_template = "DBAAS_DEFAULT_PASSWORD"
    passphrase_length   = 30
  }
}

# External Secrets reads the vault as itself, without a key.
resource "oci_identity_policy" "external_secrets" {
  compartment_id = var.compartment
  name           = "${var.name}-external-secrets"
  description    = "External Secrets of ${var.name} reads its vault."
  statements = [
    join(" ", [
      "Allow any-user to read secret-bundles in compartment id ${var.compartment} where all {",
      "request.principal.type = 'workload',",
      "request.principal.namespace = 'external-secrets',",
      "request.principal.service_account = 'external-secrets',",
      "request.principal.cluster_id = '${oci_containerengine_cluster.this.id}',",
      "target.vault.id = '${oci_kms_vault.this.id}'}",
    ]),
  ]
}
