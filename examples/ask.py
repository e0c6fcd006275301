"""Ask a service of this machine, and print its answer. Ctrl-C withdraws the request.

python -m examples.ask 8101 bid lot-7        asks for the amount without echo
python -m examples.ask 8103 deal lot-7
"""

from __future__ import annotations

import getpass
import socket
import sys


def main() -> None:
    """Send one line, print one line; the exit code says whether it is an error."""
    port, *words = sys.argv[1:]
    if len(words) == 2 and words[0] == "bid":
        # Not on the command line, which others on this machine can see.
        words.append(getpass.getpass("bid: ") if sys.stdin.isatty() else sys.stdin.readline().strip())
    try:
        with socket.create_connection(("127.0.0.1", int(port))) as connection, connection.makefile() as replies:
            connection.sendall(f"{' '.join(words)}\n".encode())
            reply = replies.readline().strip()
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        sys.exit(f"error: no service answers on port {port}: {error.strerror}")
    sys.stdout.write(f"{reply or 'error: the service ended'}\n")
    sys.exit(0 if reply and not reply.startswith("error") else 1)


if __name__ == "__main__":
    main()
