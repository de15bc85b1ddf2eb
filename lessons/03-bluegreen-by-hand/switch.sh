#!/bin/sh
# Lesson 3 (2214): bring out green, wait, switch, clean up. Run by a student, in a terminal:
#
#   sh lessons/03-bluegreen-by-hand/switch.sh 2214-green.yaml
#
# It has a fault on purpose: if green never gets ready, it waits for ever.
set -eu
manifests="$(dirname "$0")/manifests"

echo "1. start green: $1"
kubectl apply -f "$manifests/$1" >/dev/null

echo "2. wait until both Pods are ready"
until [ "$(kubectl get pod -n anotherclass-221 -l instance=api-tester-2214,blue-green-no=2 \
    -o jsonpath='{.items[*].status.containerStatuses[*].ready}')" = "true true" ]; do
  sleep 1
done

echo "3. switch the Service to green"
kubectl patch svc api-tester-2214 -n anotherclass-221 \
  -p '{"spec":{"selector":{"blue-green-no":"2"}}}' >/dev/null

echo "4. delete blue"
kubectl delete deployment api-tester-2214-1 -n anotherclass-221 >/dev/null
echo "done"
