"""Network connections: sockets and Tango."""
