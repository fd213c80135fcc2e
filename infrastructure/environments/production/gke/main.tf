terraform {
  required_version = ">= 1.11.0"

  # Its settings come with terraform init -backend-config=FILE: they name your storage.
  backend "gcs" {}
}

provider "google" {
  project = var.project
  region  = var.region
}

module "environment" {
  source = "../../../modules/environment"
  name   = "production"
}

module "cluster" {
  source         = "../../../modules/gke"
  name           = "daybook-production"
  region         = var.region
  domain         = var.domain
  administrators = var.administrators
  size           = module.environment.size
  topics         = module.environment.topics
  project        = var.project
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

variable "project" {
  type = string
}

output "cluster" {
  value = module.cluster
}
