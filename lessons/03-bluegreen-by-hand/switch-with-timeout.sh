#!/bin/sh
# Lesson 3 (2214): as switch.sh, with a time-out. Run by a student, in a terminal:
#
#   sh lessons/03-bluegreen-by-hand/switch-with-timeout.sh 2214-green.yaml
#
# If green is not ready after 20 seconds, it takes green away and leaves blue as it is.
set -eu
manifests="$(dirname "$0")/manifests"

echo "1. start green: $1"
kubectl apply -f "$manifests/$1" >/dev/null

echo "2. wait until both Pods are ready, 20 seconds at most"
if ! kubectl rollout status deployment/api-tester-2214-2 -n anotherclass-221 --timeout=20s >/dev/null 2>&1; then
  echo "3. not ready: delete green, blue stays"
  kubectl delete deployment api-tester-2214-2 -n anotherclass-221 >/dev/null
  exit 1
fi

echo "3. switch the Service to green"
kubectl patch svc api-tester-2214 -n anotherclass-221 \
  -p '{"spec":{"selector":{"blue-green-no":"2"}}}' >/dev/null

echo "4. delete blue"
kubectl delete deployment api-tester-2214-1 -n anotherclass-221 >/dev/null
echo "done"
