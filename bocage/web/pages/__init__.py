"""The pages, one module per area; each gives its ``urlpatterns``."""
