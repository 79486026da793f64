"""Who is on call, who may acknowledge."""
