terraform {
  required_version = ">= 1.11.0"

  # Its settings come with terraform init -backend-config=FILE: they name your storage.
  backend "azurerm" {}
}

provider "azurerm" {
  features {}
}

module "environment" {
  source = "../../../modules/environment"
  name   = "staging"
}

module "cluster" {
  source               = "../../../modules/aks"
  name                 = "daybook-staging"
  region               = var.region
  domain               = var.domain
  administrators       = var.administrators
  size                 = module.environment.size
  topics               = module.environment.topics
  administrator_groups = var.administrator_groups
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

variable "administrator_groups" {
  description = "Object ids of groups in Entra ID."
  type        = list(string)
}

output "cluster" {
  value = module.cluster
}
