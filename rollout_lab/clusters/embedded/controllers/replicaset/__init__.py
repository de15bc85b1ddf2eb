"""The ReplicaSet controller: keeps as many Pods of one template as its spec asks for."""
