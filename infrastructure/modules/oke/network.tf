data "oci_identity_availability_domains" "this" {
  compartment_id = var.compartment
}

data "oci_core_services" "oracle" {
  filter {
    name   = "name"
    values = ["All .* Services In Oracle Services Network"]
    regex  = true
  }
}

resource "oci_core_vcn" "this" {
  compartment_id = var.compartment
  display_name   = var.name
  cidr_blocks    = ["10.20.0.0/16"]
  dns_label      = "daybook"
}

resource "oci_core_internet_gateway" "this" {
  compartment_id = var.compartment
  vcn_id         = oci_core_vcn.this.id
}

resource "oci_core_nat_gateway" "this" {
  compartment_id = var.compartment
  vcn_id         = oci_core_vcn.this.id
}

resource "oci_core_service_gateway" "this" {
  compartment_id = var.compartment
  vcn_id         = oci_core_vcn.this.id
  services {
    service_id = data.oci_core_services.oracle.services[0].id
  }
}

resource "oci_core_route_table" "public" {
  compartment_id = var.compartment
  vcn_id         = oci_core_vcn.this.id
  route_rules {
    destination       = "0.0.0.0/0"
    network_entity_id = oci_core_internet_gateway.this.id
  }
}

resource "oci_core_route_table" "private" {
  compartment_id = var.compartment
  vcn_id         = oci_core_vcn.this.id
  route_rules {
    destination       = "0.0.0.0/0"
    network_entity_id = oci_core_nat_gateway.this.id
  }
  route_rules {
    destination       = data.oci_core_services.oracle.services[0].cidr_block
    destination_type  = "SERVICE_CIDR_BLOCK"
    network_entity_id = oci_core_service_gateway.this.id
  }
}

locals {
  subnets = {
    api      = { cidr = "10.20.0.0/28", public = true }
    balancer = { cidr = "10.20.1.0/24", public = true }
    nodes    = { cidr = "10.20.16.0/20", public = false }
    pods     = { cidr = "10.20.64.0/18", public = false }
    data     = { cidr = "10.20.2.0/24", public = false }
  }
  # Who may open a connection to what: everything else is closed. 6 is TCP.
  rules = {
    administrators = { for network in var.administrators : "api from ${network}" => { to = "api", source = network, port = 6443 } }
    cluster = {
      "api from nodes"         = { to = "api", source = local.subnets.nodes.cidr, port = 6443 }
      "api from pods"          = { to = "api", source = local.subnets.pods.cidr, port = 6443 }
      "proxymux from nodes"    = { to = "api", source = local.subnets.nodes.cidr, port = 12250 }
      "kubelet from api"       = { to = "nodes", source = local.subnets.api.cidr, port = 10250 }
      "balancer from anywhere" = { to = "balancer", source = "0.0.0.0/0", port = 443 }
      "database from pods"     = { to = "data", source = local.subnets.pods.cidr, port = 5432 }
      "kafka from pods"        = { to = "data", source = local.subnets.pods.cidr, port = 9092 }
    }
  }
}

resource "oci_core_subnet" "this" {
  for_each                   = local.subnets
  compartment_id             = var.compartment
  vcn_id                     = oci_core_vcn.this.id
  display_name               = each.key
  dns_label                  = each.key
  cidr_block                 = each.value.cidr
  prohibit_public_ip_on_vnic = !each.value.public
  prohibit_internet_ingress  = !each.value.public
  route_table_id             = each.value.public ? oci_core_route_table.public.id : oci_core_route_table.private.id
  security_list_ids          = [oci_core_security_list.outward.id]
}

# The default one of the network would open port 22 to everybody.
resource "oci_core_security_list" "outward" {
  compartment_id = var.compartment
  vcn_id         = oci_core_vcn.this.id
  egress_security_rules {
    destination = "0.0.0.0/0"
    protocol    = "all"
  }
}

resource "oci_core_network_security_group" "this" {
  for_each       = local.subnets
  compartment_id = var.compartment
  vcn_id         = oci_core_vcn.this.id
  display_name   = each.key
}

resource "oci_core_network_security_group_security_rule" "tcp" {
  for_each                  = merge(local.rules.administrators, local.rules.cluster)
  network_security_group_id = oci_core_network_security_group.this[each.value.to].id
  direction                 = "INGRESS"
  protocol                  = "6"
  source                    = each.value.source
  source_type               = "CIDR_BLOCK"
  description               = each.key
  tcp_options {
    destination_port_range {
      min = each.value.port
      max = each.value.port
    }
  }
}

# Nodes, pods and the balancer among themselves.
resource "oci_core_network_security_group_security_rule" "inside" {
  for_each = {
    "nodes from nodes"    = { to = "nodes", source = local.subnets.nodes.cidr }
    "nodes from pods"     = { to = "nodes", source = local.subnets.pods.cidr }
    "nodes from balancer" = { to = "nodes", source = local.subnets.balancer.cidr }
    "pods from nodes"     = { to = "pods", source = local.subnets.nodes.cidr }
    "pods from pods"      = { to = "pods", source = local.subnets.pods.cidr }
    "pods from api"       = { to = "pods", source = local.subnets.api.cidr }
    "pods from balancer"  = { to = "pods", source = local.subnets.balancer.cidr }
  }
  network_security_group_id = oci_core_network_security_group.this[each.value.to].id
  direction                 = "INGRESS"
  protocol                  = "all"
  source                    = each.value.source
  source_type               = "CIDR_BLOCK"
  description               = each.key
}

resource "oci_dns_zone" "this" {
  compartment_id = var.compartment
  name           = var.domain
  zone_type      = "PRIMARY"
}
