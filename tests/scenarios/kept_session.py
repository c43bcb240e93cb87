"""A paho client with a session that is kept, over many connections.

Prints a line for each message: its QoS and its payload. Loses its connection
after every so many messages, and connects again.
"""
import socket
import sys

import paho.mqtt.client as mqtt

port, between_losses = int(sys.argv[1]), int(sys.argv[2])
ended = set()
received = 0


def on_connect(client, userdata, flags, code):
    if flags["session present"]:
        print("again", flush=True)
        return
    client.subscribe([("kept/1", 1), ("kept/2", 2)])


def on_subscribe(client, userdata, mid, granted):
    print("subscribed", flush=True)


def on_message(client, userdata, message):
    global received
    print(message.qos, message.payload.decode(), flush=True)
    received += 1
    if message.payload == b"last":
        ended.add(message.qos)
        if len(ended) == 2:
            client.disconnect()
    elif received % between_losses == 0:
        client.socket().shutdown(socket.SHUT_RDWR)


client = mqtt.Client(client_id="kept-session", clean_session=False)
client.on_connect = on_connect
client.on_subscribe = on_subscribe
client.on_message = on_message
client.reconnect_delay_set(min_delay=1, max_delay=1)
client.connect("127.0.0.1", port)
client.loop_forever()
