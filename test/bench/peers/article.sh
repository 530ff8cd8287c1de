#!/usr/bin/env bash
# The article's procedure, in our words: prepare (label, confine aws-node, install Cilium), refresh (node after node), finish
# (delete aws-node). What differs from its text, and why:
# - instances are terminated without decrement, or the group would shrink to nothing;
# - what it says to verify between nodes is waited for: nodes back, Cilium on all of them, workloads available;
# - `cilium status --wait` is a rollout status: it asks for the same, and its command is one more thing to install;
# - Cilium's values are the article's, spelled as charts from 1.15 on want them (tunnel: disabled became routingMode: native).
set -euo pipefail
: "${REGION:?}" "${CHART:?}" "${CHART_VERSION:?}" "${CLUSTER:?}"
here=$(cd "$(dirname "$0")" && pwd)

names() { kubectl get nodes "$@" --output=jsonpath='{range .items[*]}{.metadata.name}{"\n"}{end}'; }
count() { names "$@" | grep -c . || true; }
desired() { kubectl get daemonset "$1" -n kube-system --output=jsonpath='{.status.desiredNumberScheduled}'; }

label() {
  local node label
  for node in $(names); do
    label=$(kubectl get node "$node" --output=jsonpath='{.metadata.labels.cni-plugin}')
    if [ -n "$label" ]; then
      echo "node $node is labelled already: cni-plugin=$label"
    else
      kubectl label node "$node" cni-plugin=aws
    fi
  done
  if [ "$(count -l cni-plugin=aws)" != "$(count)" ]; then
    echo "not all nodes are labelled"
    exit 1
  fi
}

confine() {
  kubectl patch daemonset aws-node -n kube-system --patch-file "$here/aws-node-patch.yaml"
}

install() {
  helm install cilium "$CHART" --version "$CHART_VERSION" --namespace kube-system -f "$here/cilium-values.yaml" --set "cluster.name=$CLUSTER"
  kubectl rollout status deployment cilium-operator -n kube-system
  kubectl rollout status daemonset cilium -n kube-system
  if [ "$(desired cilium)" != "$(count -l '!cni-plugin')" ]; then
    echo "the cilium daemonset must run on unlabelled nodes only"
    exit 1
  fi
}

# Waits until as many nodes as before are Ready, Cilium runs on the new ones, and every workload is back.
verify() {
  until [ "$(kubectl get nodes --no-headers | grep -c ' Ready')" -ge "$1" ] && [ "$(desired cilium)" = "$(count -l '!cni-plugin')" ]; do sleep 1; done
  kubectl rollout status daemonset cilium -n kube-system
  kubectl wait deployments --all --all-namespaces --for=condition=Available --timeout=10m
}

refresh() {
  local total node id
  total=$(count)
  for node in $(names -l cni-plugin=aws); do
    echo "cordon the node: $node"
    kubectl cordon "$node"
    echo "drain the node: $node"
    kubectl drain "$node" --delete-local-data --ignore-daemonsets --force
    echo "remove the node from the cluster: $node"
    kubectl delete node "$node"
    id=$(aws ec2 describe-instances --region="$REGION" --filters "Name=private-dns-name,Values=$node" --no-cli-pager | grep -o '"InstanceId": "[^"]*"' | head -1 | cut -d'"' -f4)
    echo "terminate its instance: $node ($id)"
    aws autoscaling terminate-instance-in-auto-scaling-group --region="$REGION" --instance-id "$id" --no-should-decrement-desired-capacity --no-cli-pager
    verify "$total"
  done
}

finish() {
  if [ "$(desired aws-node)" != "0" ]; then
    echo "aws-node still runs on some nodes: refresh them first"
    exit 1
  fi
  kubectl delete daemonset aws-node -n kube-system
}

for step in "$@"; do
  case $step in
    prepare) label && confine && install ;;
    refresh) refresh ;;
    finish) finish ;;
    *) echo "expected prepare, refresh or finish, saw $step" && exit 2 ;;
  esac
done
