"""``python -m cloud_native_mcp``: the command line."""

from cloud_native_mcp.cli.main import main

if __name__ == "__main__":
    main()
