"""On the host: plan the cells, drive an engine, collect what comes back."""
