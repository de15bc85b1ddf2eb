"""The programs that Pods run: small HTTP apps in this process, never a command of a manifest."""
