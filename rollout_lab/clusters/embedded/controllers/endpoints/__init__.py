"""EndpointSlices and Endpoints: which Pods stand behind each Service, and which of them are ready."""
