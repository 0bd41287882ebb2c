"""Pictures, colours, QR codes and documents to print."""
