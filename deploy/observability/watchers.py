"""Watches a router's catalogue more often at once than it allows, so that some watchers are turned away: calls that are shed, on purpose.

Usage: watchers.py ADDRESS [HOW_MANY]     needs grpcio
"""

import sys

import grpc

METHOD = "/toolrouter.v1.ToolCatalog/WatchCatalog"


def main():
    address, most = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 300
    raw = {"request_serializer": bytes, "response_deserializer": bytes}
    # A connection has 200 calls at most; each of these is another connection.
    channels = [grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) for _ in range(most // 50 + 1)]
    turned_away = 0
    calls = []
    for i in range(most):
        call = channels[i // 50].unary_stream(METHOD, **raw)(b"", timeout=20)
        calls.append(call)
        try:
            next(call)
        except grpc.RpcError as error:
            turned_away += error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    for call in calls:
        call.cancel()
    for channel in channels:
        channel.close()
    print(f"watchers: {turned_away} of {most} were turned away")
    return 0 if turned_away else 1


if __name__ == "__main__":
    sys.exit(main())
