"""What a recipient wants and only a dispatcher may decide: asked, shown with Approve and Decline, answered."""
