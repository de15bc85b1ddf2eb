"""An HTTP gateway: what Ingress, HTTPRoute and VirtualService objects ask for, done per request.

Three parts: `compile` (objects -> table, pure), `choose` (table, request, numbers -> backend, pure) and
`proxy` (the only part that opens sockets). Nothing here watches or writes objects: who runs a gateway
brings them (`clusters.embedded.gateway`).
"""
