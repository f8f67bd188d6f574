"""Routers: one file each, one interface (`routers.router.Router`)."""
