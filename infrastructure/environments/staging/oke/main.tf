terraform {
  required_version = ">= 1.11.0"
  required_providers {
    oci = {
      source = "oracle/oci"
    }
  }

  # Its settings come with terraform init -backend-config=FILE: they name your storage.
  backend "oci" {}
}

provider "oci" {
  region = var.region
}

module "environment" {
  source = "../../../modules/environment"
  name   = "staging"
}

module "cluster" {
  source             = "../../../modules/oke"
  name               = "daybook-staging"
  region             = var.region
  domain             = var.domain
  administrators     = var.administrators
  size               = module.environment.size
  topics             = module.environment.topics
  compartment        = var.compartment
  kubernetes_version = var.kubernetes_version
  node_image         = var.node_image
}

variable "region" {
  type = string
}

variable "domain" {
  type = string
}

variable "administrators" {
  description = "Networks that may reach the API server of Kubernetes."
  type        = list(string)
}

variable "compartment" {
  type = string
}

variable "kubernetes_version" {
  description = "As OKE names it: v1.34.1."
  type        = string
}

variable "node_image" {
  description = "OCID of an OKE image of that version."
  type        = string
}

output "cluster" {
  value = module.cluster
}
